// The columns of each row's best scores, ascending; of equal scores the lower columns. One workgroup a row, so that nothing leaves it before
// the list is there: four counts of 8-bit digits find the rank of the worst that is chosen, then one more pass writes the columns in order.
struct Shape { rows: u32, columns: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> scores: array<u32>; // [rows, columns], floats that are compared as whole numbers
@group(0) @binding(2) var<storage, read> offsets: array<u32>; // [rows + 1], where each row's list begins
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>; // all lists

const SIZE = 256u;
// Scores of a row are of few magnitudes, so counters are many times there: invocations side by side then do not wait for one.
const COPIES = 8u;
// Columns that an invocation looks at in a row: a scan of what all have chosen costs more than to read them.
const RUN = 16u;
var<workgroup> counters: array<atomic<u32>, SIZE * COPIES>;
var<workgroup> sums: array<u32, SIZE>;
var<workgroup> found: vec2u;

// The lower, the better the score; 0 and -0 are one.
fn rank(bits: u32) -> u32 { return select(~bits & 0x7fffffffu, bits, bits > 0x80000000u); }

// What invocations have up to this one, added.
fn upTo(t: u32, own: u32) -> u32 {
  workgroupBarrier();
  sums[t] = own;
  for (var reach = 1u; reach < SIZE; reach *= 2u) {
    workgroupBarrier();
    let before = select(0u, sums[t - min(t, reach)], t >= reach);
    workgroupBarrier();
    sums[t] += before;
  }
  workgroupBarrier();
  return sums[t];
}

// Counts the next digit of ranks that begin with `prefix`.
fn count(first: u32, prefix: u32, shift: u32, t: u32) -> u32 {
  for (var copy = 0u; copy < COPIES; copy++) { atomicStore(&counters[t * COPIES + copy], 0u); }
  workgroupBarrier();
  for (var j = t; j < shape.columns; j += SIZE) {
    let digits = rank(scores[first + j]) >> shift;
    if (digits >> 8u == prefix) { atomicAdd(&counters[(digits & 255u) * COPIES + t % COPIES], 1u); }
  }
  workgroupBarrier();
  var total = 0u;
  for (var copy = 0u; copy < COPIES; copy++) { total += atomicLoad(&counters[t * COPIES + copy]); }
  return total;
}

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y * MOST_GROUPS + group.x;
  if (row >= shape.rows) { return; }
  let list = offsets[row];
  var equals = offsets[row + 1u] - list; // how many are to be chosen of those whose ranks begin with the digits found
  if (equals == 0u) { return; }
  let first = row * shape.columns;

  var worst = 0u;
  for (var digit = 0u; digit < 4u; digit++) {
    let own = count(first, worst, 24u - 8u * digit, t);
    let end = upTo(t, own);
    if (end - own < equals && equals <= end) { found = vec2u(t, end - own); }
    let next = workgroupUniformLoad(&found);
    worst = (worst << 8u) | next.x;
    equals -= next.y;
  }

  var seen = vec2u(0u); // in earlier tiles: better than the worst, and equal to it
  for (var tile = 0u; tile < shape.columns; tile += SIZE * RUN) {
    let begin = min(tile + t * RUN, shape.columns);
    let end = min(begin + RUN, shape.columns);
    var better = 0u; // a bit for each column
    var equal = 0u;
    for (var j = begin; j < end; j++) {
      let own = rank(scores[first + j]);
      better |= u32(own < worst) << (j - begin);
      equal |= u32(own == worst) << (j - begin);
    }
    let own = countOneBits(better) | (countOneBits(equal) << 16u); // a tile has fewer than 2^16 columns
    let before = upTo(t, own) - own;
    var at = seen + vec2u(before & 0xffffu, before >> 16u);
    for (var j = begin; j < end; j++) {
      let is = vec2u(better >> (j - begin), equal >> (j - begin)) & vec2u(1u);
      if (is.x == 1u || (is.y == 1u && at.y < equals)) { chosen[list + at.x + min(at.y, equals)] = j; }
      at += is;
    }
    let total = sums[SIZE - 1u];
    seen += vec2u(total & 0xffffu, total >> 16u);
  }
}
