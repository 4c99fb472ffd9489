// Adds to a residual and normalises it by its root mean square: one workgroup a row.
struct Shape { width: u32, adds: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [S, width]
@group(0) @binding(2) var<storage, read_write> residual: array<f32>; // [S, width]
@group(0) @binding(3) var<storage, read> scale: array<f32>; // [width]
@group(0) @binding(4) var<storage, read_write> result: array<f32>; // [S, width]

const THREADS = 256u;
var<workgroup> parts: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = group.x * shape.width;
  var sum = 0.0;
  for (var c = t; c < shape.width; c += THREADS) {
    var value = residual[first + c];
    if (shape.adds > 0u) {
      value += x[first + c];
      residual[first + c] = value;
    }
    sum += value * value;
  }
  parts[t] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { parts[t] += parts[t + half]; }
  }
  workgroupBarrier();
  let factor = inverseSqrt(parts[0] / f32(shape.width) + shape.epsilon);
  for (var c = t; c < shape.width; c += THREADS) { result[first + c] = residual[first + c] * factor * scale[c]; }
}
