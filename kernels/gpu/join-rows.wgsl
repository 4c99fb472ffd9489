// Joins the stretches of each query: the logarithm of what its softmax divides by. One invocation a query.
struct Shape { rows: u32, splits: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> partial: array<vec2f>; // [rows, splits]
@group(0) @binding(2) var<storage, read_write> divisors: array<f32>; // [rows]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = (group.y * MOST_GROUPS + group.x) * 64u + t;
  if (row >= shape.rows) { return; }
  var joined = partial[row * shape.splits];
  for (var i = 1u; i < shape.splits; i++) {
    let next = partial[row * shape.splits + i];
    let higher = max(joined.x, next.x);
    joined = vec2f(higher, joined.y * exp(joined.x - higher) + next.y * exp(next.x - higher));
  }
  divisors[row] = joined.x + log(joined.y);
}
