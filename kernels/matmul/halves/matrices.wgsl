// The product for many rows of x in half precision, on matrix units: a subgroup multiplies matrices of M x K and K x N, and adds up 64 x 32 of
// the result in its registers. A workgroup of HIGH x 4 subgroups makes HIGH * 64 rows of x times 128 of W, from stretches of 32 columns in
// workgroup memory. Grid: tiles of W's rows, of x's.
// Per 16 columns a subgroup reads 64 + 32 rows for 64 x 32 sums, and memory gives 128 + 128 rows for 128 x 128: for numbers of 4 bits and x in
// halves, 100 operations a byte.
@group(0) @binding(1) var<storage, read> halves: array<vec4u>; // [S in whole tiles, eights]

alias Left = subgroup_matrix_left<f16, K, M>;
alias Right = subgroup_matrix_right<f16, N, K>;
alias Sums = subgroup_matrix_result<f32, N, M>;

const WIDE = 4u;
const INVOCATIONS = HIGH * WIDE * LANES;
const DOWN = 64u / M;
const ACROSS = 32u / N;
const STEP = 4u; // of eights
// Rows stand one vec4 further apart than they are long, so that the eight that are read at once lie in different banks.
const STRIDE = STEP + 1u;
const OWN_LEFT = HIGH * 64u * STEP / INVOCATIONS;
const OWN_RIGHT = 128u * STEP / INVOCATIONS;
var<workgroup> left: array<vec4u, HIGH * 64u * STRIDE>; // and the results on their way
var<workgroup> right: array<vec4u, 128u * STRIDE>;

// Eight columns of W as they are stored.
struct Bits { low: vec4u, high: vec4u, scale: vec2f }

// Anything beyond the last column, where x has zeros.
fn bitsAt(row: u32, c: u32) -> Bits {
  let own = min(row, shape.part - 1u);
  let first = own * shape.units;
  let low = values[first + min(c / FOURS, shape.units - 1u)];
  var high = low;
  if (FOURS == 1u) { high = values[first + min(c + 1u, shape.units - 1u)]; }
  return Bits(low, high, scaleAt(own, min(c, shape.fours - 1u)));
}

fn halvesOf(bits: Bits, c: u32) -> vec4u {
  if (HALVES) { return bits.low; }
  let low = four(bits.low, c % FOURS) * FACTOR * bits.scale.x + bits.scale.y;
  let high = four(bits.high, (c + 1u) % FOURS) * FACTOR * bits.scale.x + bits.scale.y;
  return vec4u(bitcast<vec2u>(vec4<f16>(low)), bitcast<vec2u>(vec4<f16>(high)));
}

@compute @workgroup_size(INVOCATIONS)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstOutput = group.x * 128u;
  let firstRow = group.y * HIGH * 64u;
  let eights = (shape.columns + 31u) / 32u * STEP;
  // Every backend puts a workgroup's invocations into subgroups in their order.
  let subgroup = t / LANES;
  let down = subgroup / WIDE * 64u;
  let across = subgroup % WIDE * 32u;
  let staged = t / STEP; // the first row that this invocation brings; more follow
  let c = t % STEP;
  const ROWS = INVOCATIONS / STEP;
  var x: array<vec4u, OWN_LEFT>;
  var weights: array<Bits, OWN_RIGHT>;
  for (var i = 0u; i < OWN_LEFT; i++) { x[i] = halves[(firstRow + staged + i * ROWS) * eights + c]; }
  for (var i = 0u; i < OWN_RIGHT; i++) { weights[i] = bitsAt(firstOutput + staged + i * ROWS, 2u * c); }
  var sums: array<array<Sums, ACROSS>, DOWN>;
  for (var depth = 0u; depth < eights; depth += STEP) {
    workgroupBarrier();
    for (var i = 0u; i < OWN_LEFT; i++) { left[(staged + i * ROWS) * STRIDE + c] = x[i]; }
    for (var i = 0u; i < OWN_RIGHT; i++) { right[(staged + i * ROWS) * STRIDE + c] = halvesOf(weights[i], 2u * (depth + c)); }
    workgroupBarrier();
    // The next stretch is on its way while this one is multiplied.
    let next = depth + STEP + c;
    if (depth + STEP < eights) {
      for (var i = 0u; i < OWN_LEFT; i++) { x[i] = halves[(firstRow + staged + i * ROWS) * eights + next]; }
      for (var i = 0u; i < OWN_RIGHT; i++) { weights[i] = bitsAt(firstOutput + staged + i * ROWS, 2u * next); }
    }
    for (var k = 0u; k < STEP; k += K / 8u) {
      var b: array<Right, ACROSS>;
      for (var j = 0u; j < ACROSS; j++) {
        b[j] = subgroupMatrixLoad<Right, col_major>(&right, (across + j * N) * STRIDE + k, STRIDE);
      }
      for (var i = 0u; i < DOWN; i++) {
        let a = subgroupMatrixLoad<Left, row_major>(&left, (down + i * M) * STRIDE + k, STRIDE);
        for (var j = 0u; j < ACROSS; j++) { sums[i][j] = subgroupMatrixMultiplyAccumulate(a, b[j], sums[i][j]); }
      }
    }
  }
  const EACH = M * N / 4u;
  for (var i = 0u; i < DOWN; i++) {
    for (var j = 0u; j < ACROSS; j++) {
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&left, subgroup * EACH, sums[i][j], N / 4u);
      workgroupBarrier();
      for (var e = t % LANES; e < M * N; e += LANES) {
        let product = bitcast<f32>(left[subgroup * EACH + e / 4u][e % 4u]);
        put(firstRow + down + i * M + e / N, firstOutput + across + j * N + e % N, product);
      }
    }
  }
}
