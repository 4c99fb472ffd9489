// One number of each stretch of scores: of a group of rows at one column, or of a row's columns around one. `stretch`, `join` and `finish`
// are written in front. One invocation a number: neighbours read neighbours, so that what stretches share comes from a cache.
struct Shape { items: u32, columns: u32, reach: u32, size: f32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> scores: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read_write> joined: array<f32>; // [items]

struct Stretch { first: u32, end: u32, step: u32 }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let item = (group.y * MOST_GROUPS + group.x) * 256u + t;
  if (item >= shape.items) { return; }
  let own = stretch(item / shape.columns, item % shape.columns);
  var value = scores[own.first];
  for (var i = own.first + own.step; i < own.end; i += own.step) { value = join(value, scores[i]); }
  joined[item] = finish(value);
}
