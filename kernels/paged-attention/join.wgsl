// Flash decoding, second pass: joins the stretches of each row's query heads. One invocation a vec4 of the result.
struct Shape { heads: u32, splits: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>; // [heads, splits, D4 + 1]
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>; // [heads, D4]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * GROUPS + group.x) * 64u + t;
  let head = i / D4;
  if (head >= shape.heads) { return; }
  let first = head * shape.splits * (D4 + 1u);
  var highest = -1e30;
  for (var s = 0u; s < shape.splits; s++) { highest = max(highest, parts[first + s * (D4 + 1u) + D4].x); }
  var total = 0.0;
  var sum = vec4f(0.0);
  for (var s = 0u; s < shape.splits; s++) {
    let part = first + s * (D4 + 1u);
    let weight = exp(parts[part + D4].x - highest);
    total += parts[part + D4].y * weight;
    sum += parts[part + i % D4] * weight;
  }
  result[i] = sum / total;
}
