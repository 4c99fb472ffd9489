// The product for few rows of x, whose time is that of reading W once. A workgroup takes four rows of W, of which its invocations read
// consecutive 16 bytes, and COUNT rows of x, whose numbers serve all four from registers: what is four is written as vectors, because
// devices need not unroll loops. Grid: tiles of x's rows in x, of W's in y and z: those that read the same of W run at once, so that memory
// gives it once and the cache the other times.
const LANES = 64u;
const SUMS = 4u * COUNT;
var<workgroup> partial: array<f32, SUMS * LANES>; // by row of x, row of W and invocation

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstOutput = (group.z * MOST_GROUPS + group.y) * 4u;
  let firstRow = group.x * COUNT;
  let rows = min(vec4u(firstOutput) + vec4u(0u, 1u, 2u, 3u), vec4u(shape.part - 1u));
  var sums = array<vec4f, COUNT>();
  for (var unit = t; unit < shape.units; unit += LANES) {
    let at = rows * shape.units + unit;
    let a = values[at.x];
    let b = values[at.y];
    let c = values[at.z];
    let d = values[at.w];
    for (var piece = 0u; piece < FOURS; piece += PIECE) {
      var products = array<vec4f, COUNT>();
      var totals = array<f32, COUNT>(); // what offsets are multiplied with
      for (var v = piece; v < piece + PIECE; v++) {
        let weights = mat4x4f(four(a, v), four(b, v), four(c, v), four(d, v));
        for (var s = 0u; s < COUNT; s++) {
          let x = input(min(firstRow + s, shape.rows - 1u), unit * FOURS + v);
          if (OFFSETS) { totals[s] += dot(x, vec4f(1.0)); }
          products[s] += (x * FACTOR) * weights;
        }
      }
      let column = unit * FOURS + piece;
      let scales = transpose(mat4x2f(scaleAt(rows.x, column), scaleAt(rows.y, column), scaleAt(rows.z, column), scaleAt(rows.w, column)));
      for (var s = 0u; s < COUNT; s++) {
        sums[s] += scales[0] * products[s];
        if (OFFSETS) { sums[s] += scales[1] * totals[s]; }
      }
    }
  }
  let sum = reduced(sums, t);
  if (t < SUMS) { put(firstRow + t / 4u, firstOutput + t % 4u, sum); }
}
