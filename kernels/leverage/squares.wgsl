// Squared lengths of rows under a lower triangular matrix of their head. One invocation a row. Grid: tiles of 64 rows, KH.
struct Shape { length: u32, short: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> rows: array<f32>; // [KH, k, n]
@group(0) @binding(2) var<storage, read> roots: array<f32>; // [KH, k, k]
@group(0) @binding(3) var<storage, read_write> scores: array<f32>; // [KH, n]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let j = group.x * 64u + t;
  if (j >= shape.length) { return; }
  let head = group.y * shape.short;
  var total = 0.0;
  for (var a = 0u; a < shape.short; a++) {
    var sum = 0.0;
    for (var c = 0u; c <= a; c++) { sum = fma(roots[(head + a) * shape.short + c], rows[(head + c) * shape.length + j], sum); }
    total = fma(sum, sum, total);
  }
  scores[group.y * shape.length + j] = total;
}
