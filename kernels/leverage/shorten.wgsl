// Vectors less the first of their head, shortened. What is left of them is added to nothing large, and vectors that are all alike are exactly
// nothing. An invocation makes four channels of one vector. Grid: tiles of 64 vectors, channels in fours, KH.
struct Shape { length: u32, parts: u32, size: u32, short: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>; // [KH, n, parts]
@group(0) @binding(2) var<storage, read> shortening: array<vec4f>; // [d, k in vec4s]
@group(0) @binding(3) var<storage, read_write> rows: array<f32>; // [KH, k, n]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let j = group.x * 64u + t;
  if (j >= shape.length) { return; }
  let first = group.z * shape.length * shape.parts;
  let wide = (shape.short + 3u) / 4u;
  var sums = vec4f(0.0);
  for (var i = 0u; i < shape.size; i += 4u) {
    let own = vectors[first + j * shape.parts + i / 4u] - vectors[first + i / 4u];
    for (var c = 0u; c < min(4u, shape.size - i); c++) { sums = fma(vec4f(own[c]), shortening[(i + c) * wide + group.y], sums); }
  }
  for (var c = 0u; c < min(4u, shape.short - 4u * group.y); c++) {
    rows[(group.z * shape.short + 4u * group.y + c) * shape.length + j] = sums[c];
  }
}
