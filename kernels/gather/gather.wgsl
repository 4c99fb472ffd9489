// Copies rows, part by part. Neighbouring invocations copy neighbouring parts. `Part` is written in front: four numbers where rows are made of fours.
struct Shape { items: u32, parts: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> entries: array<Part>; // [KH * n, parts]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // of entries
@group(0) @binding(3) var<storage, read_write> picked: array<Part>; // [rows, parts]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let item = (group.y * MOST_GROUPS + group.x) * 256u + t;
  if (item >= shape.items) { return; }
  picked[item] = entries[rows[item / shape.parts] * shape.parts + item % shape.parts];
}
