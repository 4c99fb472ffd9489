// Entries from rows into slots: one invocation a vec4 of a key and of the value beside it. Constants: D4, GROUPS of the grid's first dimension.
struct Shape { first: u32, count: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> keys: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read> rows: array<u32>;
@group(0) @binding(5) var<storage, read> slots: array<u32>;
@group(0) @binding(6) var<storage, read_write> poolKeys: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> poolValues: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> poolPositions: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * GROUPS + group.x) * 64u + t;
  let entry = i / D4;
  if (entry >= shape.count) { return; }
  let row = rows[shape.first + entry];
  let slot = slots[shape.first + entry];
  poolKeys[slot * D4 + i % D4] = keys[row * D4 + i % D4];
  poolValues[slot * D4 + i % D4] = values[row * D4 + i % D4];
  if (i % D4 == 0u) { poolPositions[slot] = positions[row]; }
}
