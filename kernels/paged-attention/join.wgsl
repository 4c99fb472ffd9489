// Flash decoding, second pass: joins the stretches of each row's query heads. One invocation a vec4 of the result.
struct Shape { heads: u32, splits: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> divisors: array<vec2f>; // [heads, splits]
@group(0) @binding(2) var<storage, read> sums: array<vec4f>; // [heads, splits, D4]
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>; // [heads, D4]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * GROUPS + group.x) * 64u + t;
  let head = i / D4;
  if (head >= shape.heads) { return; }
  var highest = -1e30;
  for (var s = 0u; s < shape.splits; s++) { highest = max(highest, divisors[head * shape.splits + s].x); }
  var total = 0.0;
  var sum = vec4f(0.0);
  for (var s = 0u; s < shape.splits; s++) {
    let part = divisors[head * shape.splits + s];
    let weight = exp(part.x - highest);
    total += part.y * weight;
    sum += sums[(head * shape.splits + s) * D4 + i % D4] * weight;
  }
  result[i] = sum / total;
}
