// The product for few rows of x, whose time is that of reading W once. A workgroup takes ROWS rows of W, of which its invocations read
// consecutive 16 bytes, and COUNT rows of x, which all ROWS share while they are in registers. Grid: tiles of W's rows in x and y, of x's in z.
const LANES = 64u;
const SUMS = ROWS * COUNT;
var<workgroup> partial: array<f32, SUMS * LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstOutput = (group.y * MOST_GROUPS + group.x) * ROWS;
  let firstRow = group.z * COUNT;
  let last = shape.part - 1u;
  var sums: array<f32, SUMS>;
  for (var unit = t; unit < shape.units; unit += LANES) {
    var bits: array<vec4u, ROWS>;
    for (var r = 0u; r < ROWS; r++) { bits[r] = values[min(firstOutput + r, last) * shape.units + unit]; }
    for (var from4 = 0u; from4 < FOURS; from4 += PIECE) {
      var products = array<f32, SUMS>();
      var totals = array<f32, COUNT>(); // what offsets are multiplied with
      for (var v = from4; v < from4 + PIECE; v++) {
        var weights: array<vec4f, ROWS>;
        for (var r = 0u; r < ROWS; r++) { weights[r] = four(bits[r], v); }
        for (var s = 0u; s < COUNT; s++) {
          let x = input(min(firstRow + s, shape.rows - 1u), unit * FOURS + v);
          if (OFFSETS) { totals[s] += dot(x, vec4f(1.0)); }
          let scaled = x * FACTOR;
          for (var r = 0u; r < ROWS; r++) { products[r * COUNT + s] += dot(weights[r], scaled); }
        }
      }
      for (var r = 0u; r < ROWS; r++) {
        let scale = scaleAt(min(firstOutput + r, last), unit * FOURS + from4);
        for (var s = 0u; s < COUNT; s++) {
          var sum = scale.x * products[r * COUNT + s];
          if (OFFSETS) { sum += scale.y * totals[s]; }
          sums[r * COUNT + s] += sum;
        }
      }
    }
  }
  let sum = reduced(sums, t);
  if (t < SUMS) {
    let row = firstRow + t % COUNT;
    put(row, firstOutput + t / COUNT, sum);
  }
}
