// Entries of a pool from slots into others, none of which is anyone's source: one invocation a vec4 of a key and of the value beside it.
// Constants: D4, GROUPS of the grid's first dimension.
struct Shape { count: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> sources: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> positions: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * GROUPS + group.x) * 64u + t;
  let entry = i / D4;
  if (entry >= shape.count) { return; }
  let source = sources[entry];
  let slot = slots[entry];
  keys[slot * D4 + i % D4] = keys[source * D4 + i % D4];
  values[slot * D4 + i % D4] = values[source * D4 + i % D4];
  if (i % D4 == 0u) { positions[slot] = positions[source]; }
}
