// Joins the stretches of each query: the logarithm of what its softmax divides by. One invocation a query.
struct Shape { rows: u32, splits: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> partial: array<vec2f>; // [rows, splits]
@group(0) @binding(2) var<storage, read_write> divisors: array<f32>; // [rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.rows) { return; }
  var joined = partial[id.x * shape.splits];
  for (var i = 1u; i < shape.splits; i++) {
    let next = partial[id.x * shape.splits + i];
    let higher = max(joined.x, next.x);
    joined = vec2f(higher, joined.y * exp(joined.x - higher) + next.y * exp(next.x - higher));
  }
  divisors[id.x] = joined.x + log(joined.y);
}
