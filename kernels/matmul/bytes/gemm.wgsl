// The product in bytes for many rows of x: a workgroup makes a tile of 64 x 64 from stretches of 32 columns that stand in workgroup memory, 4 x 8
// of it in each invocation, which reads 3 vec4s there for 32 times four multiplications. Grid: tiles of W's rows, of x's.
const SIDE = 16u; // vec4s along a side of the tile
// Transposed, [word, rows in vec4s]; one more vec4 spreads what is written over the memory's banks.
const STRIDE = SIDE + 1u;
const PIECES = 8u / PIECE;
var<workgroup> left: array<vec4u, 8u * STRIDE>;
var<workgroup> right: array<vec4u, 8u * STRIDE>;
var<workgroup> ofX: array<vec4u, PIECES * 64u>;
var<workgroup> scale: array<vec4f, PIECES * SIDE>;
var<workgroup> offset: array<vec4f, PIECES * SIDE>;

// Where word i of half a stretch stands, so that those of a piece stand together.
fn slot(half: u32, i: u32) -> u32 {
  if (NIBBLES) { return i / 2u * 4u + half * 2u + i % 2u; }
  return half * 4u + i;
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstOutput = group.x * 4u * SIDE;
  let firstRow = group.y * 4u * SIDE;
  let stretches = (shape.columns + 31u) / 32u;
  let quad = t / 8u; // the four rows of which this invocation brings a word each
  let half = t % 8u / 4u;
  let i = t % 4u;
  let rows = min(vec4u(firstRow + 4u * quad) + vec4u(0u, 1u, 2u, 3u), vec4u(shape.rows - 1u));
  let outputs = min(vec4u(firstOutput + 4u * quad) + vec4u(0u, 1u, 2u, 3u), vec4u(shape.part - 1u));
  let down = t / 8u; // where in the tile its results are: a vec4 of rows, and two of columns, 32 apart
  let across = t % 8u;
  var sums = array<vec4f, 8>();
  for (var stretch = 0u; stretch < stretches; stretch++) {
    var x: vec4u;
    var w: vec4u;
    for (var r = 0u; r < 4u; r++) {
      x[r] = bytes[2u * (rows[r] * stretches + stretch) + half][i];
      w[r] = bytesOfW(outputs[r], stretch, half)[i];
    }
    workgroupBarrier();
    left[slot(half, i) * STRIDE + quad] = x;
    right[slot(half, i) * STRIDE + quad] = w;
    if (t % 8u < PIECES) {
      let piece = t % 8u;
      let c = min(stretch * 8u + piece * PIECE, shape.fours - 1u);
      let own = transpose(mat4x2f(scaleAt(outputs.x, c), scaleAt(outputs.y, c), scaleAt(outputs.z, c), scaleAt(outputs.w, c)));
      scale[piece * SIDE + quad] = own[0];
      offset[piece * SIDE + quad] = own[1];
      for (var r = 0u; r < 4u; r++) { ofX[piece * 64u + 4u * quad + r] = scalesOfX[(rows[r] * stretches + stretch) * PIECES + piece]; }
    }
    workgroupBarrier();
    for (var piece = 0u; piece < PIECES; piece++) {
      var dots = array<vec4i, 8>();
      for (var word = piece * PIECE; word < (piece + 1u) * PIECE; word++) {
        let a = left[word * STRIDE + down];
        let b = right[word * STRIDE + across];
        let c = right[word * STRIDE + across + 8u];
        for (var r = 0u; r < 4u; r++) {
          dots[r] += vec4i(dot4(a[r], b.x), dot4(a[r], b.y), dot4(a[r], b.z), dot4(a[r], b.w));
          dots[r + 4u] += vec4i(dot4(a[r], c.x), dot4(a[r], c.y), dot4(a[r], c.z), dot4(a[r], c.w));
        }
      }
      let at = piece * SIDE + across;
      for (var r = 0u; r < 4u; r++) {
        let own = ofX[piece * 64u + 4u * down + r];
        sums[r] += ofPiece(dots[r], own, scale[at], offset[at]);
        sums[r + 4u] += ofPiece(dots[r + 4u], own, scale[at + 8u], offset[at + 8u]);
      }
    }
  }
  for (var i = 0u; i < 8u; i++) {
    for (var j = 0u; j < 4u; j++) { put(firstRow + 4u * down + i % 4u, firstOutput + 4u * across + 32u * (i / 4u) + j, sums[i][j]); }
  }
}
