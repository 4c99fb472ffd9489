// Keys turned where they lie: one invocation a pair of channels. Constants: HALF pairs of a key, GROUPS of the grid's first dimension.
struct Shape { count: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> turns: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<f32>; // [any, 2 HALF]
@group(0) @binding(4) var<storage, read_write> keys: array<f32>; // [any, 2 HALF]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * GROUPS + group.x) * 64u + t;
  let key = i / HALF;
  if (key >= shape.count) { return; }
  let at = turns[key] * 2u * HALF + i % HALF;
  let first = rows[key] * 2u * HALF + i % HALF;
  let a = keys[first];
  let b = keys[first + HALF];
  keys[first] = a * table[at] - b * table[at + HALF];
  keys[first + HALF] = b * table[at] + a * table[at + HALF];
}
