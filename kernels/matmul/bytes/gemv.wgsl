// The product in bytes for few rows of x. A workgroup takes four rows of W, of which its invocations read consecutive stretches of 32 columns,
// and COUNT rows of x. Of numbers of 4 bits, eight take 4 operations to unpack and multiply, where floats take 24: then memory is what is
// waited for. Grid: as gemv.wgsl.
const LANES = 64u;
const SUMS = 4u * COUNT;
var<workgroup> partial: array<f32, SUMS * LANES>; // by row of x, row of W and invocation

// Products of four words, or of two.
fn dots(a: vec4u, b: vec4u) -> i32 { return dot4(a.x, b.x) + dot4(a.y, b.y) + dot4(a.z, b.z) + dot4(a.w, b.w); }
fn firstDots(a: vec4u, b: vec4u) -> i32 { return dot4(a.x, b.x) + dot4(a.y, b.y); }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstOutput = (group.z * MOST_GROUPS + group.y) * 4u;
  let firstRow = group.x * COUNT;
  let rows = min(vec4u(firstOutput) + vec4u(0u, 1u, 2u, 3u), vec4u(shape.part - 1u));
  let stretches = (shape.columns + 31u) / 32u;
  var sums = array<vec4f, COUNT>();
  for (var stretch = t; stretch < stretches; stretch += LANES) {
    var low: array<vec4u, 4>;
    var high: array<vec4u, 4>;
    for (var i = 0u; i < 4u; i++) {
      low[i] = bytesOfW(rows[i], stretch, 0u);
      high[i] = bytesOfW(rows[i], stretch, 1u);
    }
    for (var piece = 0u; piece < 8u / PIECE; piece++) {
      let c = min(stretch * 8u + piece * PIECE, shape.fours - 1u);
      let scales = transpose(mat4x2f(scaleAt(rows.x, c), scaleAt(rows.y, c), scaleAt(rows.z, c), scaleAt(rows.w, c)));
      for (var s = 0u; s < COUNT; s++) {
        let row = min(firstRow + s, shape.rows - 1u);
        let at = row * stretches + stretch;
        let x = bytes[2u * at];
        let y = bytes[2u * at + 1u];
        var products: vec4i;
        for (var i = 0u; i < 4u; i++) {
          if (PIECE == 8u) { products[i] = dots(low[i], x) + dots(high[i], y); }
          else if (NIBBLES && piece == 0u) { products[i] = firstDots(low[i], x) + firstDots(high[i], y); }
          else if (NIBBLES) { products[i] = firstDots(low[i].zwxy, x.zwxy) + firstDots(high[i].zwxy, y.zwxy); }
          else if (piece == 0u) { products[i] = dots(low[i], x); }
          else { products[i] = dots(high[i], y); }
        }
        sums[s] += ofPiece(products, scalesOfX[at * 8u / PIECE + piece], scales[0], scales[1]);
      }
    }
  }
  let sum = reduced(sums, t);
  if (t < SUMS) { put(firstRow + t / 4u, firstOutput + t % 4u, sum); }
}
