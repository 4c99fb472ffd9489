// Adds to the residual stream, and normalises its rows. One workgroup a row, whose second reading comes from caches.
struct Shape { rows: u32, columns: u32, add: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [S, D], or anything
@group(0) @binding(2) var<storage, read> scale: array<f32>; // [D]
@group(0) @binding(3) var<storage, read_write> residual: array<f32>; // [S, D]
@group(0) @binding(4) var<storage, read_write> normed: array<f32>; // [S, D]

const LANES = 256u;
const SHARE = 16u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y * MOST_GROUPS + group.x;
  if (row >= shape.rows) { return; }
  let begin = row * shape.columns;
  var own = 0.0;
  for (var i = t; i < shape.columns; i += LANES) {
    var value = residual[begin + i];
    if (shape.add == 1u) {
      value += x[begin + i];
      residual[begin + i] = value;
    }
    own += value * value;
  }
  let factor = inverseSqrt(totalOf(own, t) / f32(shape.columns) + shape.epsilon);
  for (var i = t; i < shape.columns; i += LANES) { normed[begin + i] = residual[begin + i] * factor * scale[i]; }
}
