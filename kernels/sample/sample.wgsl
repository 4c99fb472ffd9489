// One workgroup a row, which reads its logits a few times: for the highest, for what the softmax divides by, three times for each limit, and
// to find the token that was drawn. Weights are whole numbers, so that they may be added in any order.
struct Shape { rows: u32, columns: u32, topK: u32, topP: f32, temperature: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<u32>; // [S, V], their bits
@group(0) @binding(2) var<storage, read> draws: array<f32>; // [S]
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>; // [S]

const LANES = 256u;
const SHARE = 16u;
// What is read before any of it is looked at: a single workgroup has little else to wait with.
const BATCH = 8u;
// Ranks are searched by 11, 11 and 10 bits.
const BINS = 2048u;
const OWN = BINS / LANES;

// What tokens count as: one each, their probability, or one where their rank is `level`.
const COUNT = 0u;
const MASS = 1u;
const LEVEL = 2u;

var<workgroup> bins: array<atomic<u32>, BINS>;
var<workgroup> lanes: array<u32, LANES>;
var<workgroup> groups: array<u32, SHARE>;
var<workgroup> found: vec4u;

// The row, and what is left of its tokens: those above the rank `least`, and of that rank those before `cut`.
var<private> begin: u32;
var<private> least = NONE;
var<private> cut = 0u;
var<private> level: u32;
var<private> top: f32;
var<private> unit: f32; // what a mass is multiplied with

fn massOf(bits: u32) -> f32 { return exp((bitcast<f32>(bits) - top) / shape.temperature); }

fn weightOf(token: u32, bits: u32, rank: u32, kind: u32) -> u32 {
  if (rank < least || (rank == least && token >= cut)) { return 0u; }
  if (kind == MASS) { return u32(massOf(bits) * unit + 0.5); }
  return select(1u, 0u, kind == LEVEL && rank != level);
}

// The bits of logits `first`, `first` + stride and so on, before `end`.
fn batchAt(first: u32, stride: u32, end: u32) -> array<u32, BATCH> {
  var bits: array<u32, BATCH>;
  for (var j = 0u; j < BATCH; j++) {
    let token = first + j * stride;
    bits[j] = NAN;
    if (token < end) { bits[j] = logits[begin + token]; }
  }
  return bits;
}

// Sums of SHARE neighbours go into `groups`.
fn addGroups(own: u32, t: u32) {
  workgroupBarrier();
  lanes[t] = own;
  workgroupBarrier();
  if (t < SHARE) {
    var sum = 0u;
    for (var i = 0u; i < SHARE; i++) { sum += lanes[t * SHARE + i]; }
    groups[t] = sum;
  }
  workgroupBarrier();
}

fn sumOfGroups() -> u32 {
  var sum = 0u;
  for (var i = 0u; i < SHARE; i++) { sum += groups[i]; }
  return sum;
}

fn highProduct(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

// The token at which the weight of those before it and its own exceeds `at`; for masses, `at` is a share of their sum in 2^-32.
fn place(kind: u32, at: u32, t: u32) -> u32 {
  var low = 0u;
  var high = shape.columns;
  var left = at;
  while (high - low > 1u) {
    let step = (high - low + SHARE - 1u) / SHARE;
    let start = min(low + t / SHARE * step, high);
    let to = min(start + step, high);
    var own = 0u;
    for (var first = start + t % SHARE; first < to; first += SHARE * BATCH) {
      let bits = batchAt(first, SHARE, to);
      for (var j = 0u; j < BATCH; j++) { own += weightOf(first + j * SHARE, bits[j], rankOf(bits[j]), kind); }
    }
    addGroups(own, t);
    if (t == 0u) {
      if (kind == MASS && low == 0u && high == shape.columns) { left = highProduct(left, sumOfGroups()); }
      var i = 0u;
      while (i < SHARE - 1u && left >= groups[i]) {
        left -= groups[i];
        i++;
      }
      found = vec4u(low + i * step, min(low + (i + 1u) * step, high), left, 0u);
    }
    let next = workgroupUniformLoad(&found);
    low = next.x;
    high = next.y;
    left = next.z;
  }
  return low;
}

// Leaves the fewest most likely tokens whose weights reach topK, or the share topP of their sum.
fn limit(kind: u32, t: u32) {
  var prefix = 0u;
  var crossing = vec4u(); // bin, weight above it, its own, and what is to be reached
  for (var turn = 0u; turn < 3u; turn++) {
    let shift = select(select(0u, 10u, turn == 1u), 21u, turn == 0u);
    let width = select(11u, 10u, turn == 2u);
    for (var b = t; b < BINS; b += LANES) { atomicStore(&bins[b], 0u); }
    workgroupBarrier();
    for (var first = t; first < shape.columns; first += LANES * BATCH) {
      let bits = batchAt(first, LANES, shape.columns);
      for (var j = 0u; j < BATCH; j++) {
        let rank = rankOf(bits[j]);
        if (turn > 0u && rank >> (shift + width) != prefix) { continue; }
        let weight = weightOf(first + j * LANES, bits[j], rank, kind);
        if (weight > 0u) { atomicAdd(&bins[(rank >> shift) & ((1u << width) - 1u)], weight); }
      }
    }
    workgroupBarrier();
    var own = 0u;
    for (var i = 0u; i < OWN; i++) { own += atomicLoad(&bins[t * OWN + i]); }
    addGroups(own, t);
    var goal = crossing.w;
    if (turn == 0u) {
      let total = sumOfGroups();
      goal = select(shape.topK, clamp(u32(ceil(shape.topP * f32(total))), 1u, total), kind == MASS);
    }
    var above = crossing.y;
    for (var i = t / SHARE + 1u; i < SHARE; i++) { above += groups[i]; }
    for (var i = t + 1u; i < (t / SHARE + 1u) * SHARE; i++) { above += lanes[i]; }
    if (above < goal && above + own >= goal) {
      var b = (t + 1u) * OWN - 1u;
      var weight = atomicLoad(&bins[b]);
      while (above + weight < goal) {
        above += weight;
        b--;
        weight = atomicLoad(&bins[b]);
      }
      found = vec4u(b, above, weight, goal);
    }
    crossing = workgroupUniformLoad(&found);
    prefix = (prefix << width) | crossing.x;
  }
  level = prefix;
  if (t == 0u) {
    let each = select(1u, u32(massOf(bitsOf(prefix)) * unit + 0.5), kind == MASS);
    let needed = (crossing.w - crossing.y + each - 1u) / each;
    found = vec4u(needed, select(0u, 1u, needed * each < crossing.z), 0u, 0u);
  }
  let equal = workgroupUniformLoad(&found); // how many of the last rank are needed, and whether some are not
  var end = select(shape.columns, cut, prefix == least);
  if (equal.y == 1u) { end = place(LEVEL, equal.x - 1u, t) + 1u; }
  least = prefix;
  cut = end;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y * MOST_GROUPS + group.x;
  if (row >= shape.rows) { return; }
  begin = row * shape.columns;

  var highest = NONE;
  var possible = 0u;
  for (var first = t; first < shape.columns; first += LANES * BATCH) {
    let bits = batchAt(first, LANES, shape.columns);
    for (var j = 0u; j < BATCH; j++) {
      let rank = rankOf(bits[j]);
      highest = max(highest, rank);
      possible += select(0u, 1u, rank > NONE);
    }
  }
  atomicStore(&bins[t], highest);
  addGroups(possible, t);
  if (t == 0u) {
    for (var i = 1u; i < LANES; i++) { highest = max(highest, atomicLoad(&bins[i])); }
    found = vec4u(highest, sumOfGroups(), 0u, 0u);
  }
  let seen = workgroupUniformLoad(&found);
  level = seen.x;
  if (seen.x == NONE || seen.x == INFINITY_RANK) {
    let token = place(LEVEL, 0u, t);
    if (t == 0u) { tokens[row] = select(token, 0u, seen.x == NONE); }
    return;
  }

  top = bitcast<f32>(bitsOf(seen.x));
  var mass = 0.0;
  for (var first = t; first < shape.columns; first += LANES * BATCH) {
    let bits = batchAt(first, LANES, shape.columns);
    for (var j = 0u; j < BATCH; j++) {
      if (rankOf(bits[j]) > NONE) { mass += massOf(bits[j]); }
    }
  }
  atomicStore(&bins[t], bitcast<u32>(mass));
  workgroupBarrier();
  var all = 0.0;
  for (var i = 0u; i < LANES; i++) { all += bitcast<f32>(atomicLoad(&bins[i])); }
  unit = 2147483648.0 / all;
  workgroupBarrier();

  if (shape.topK > 0u && shape.topK < seen.y) { limit(COUNT, t); }
  if (shape.topP < 1.0) { limit(MASS, t); }
  let token = place(MASS, u32(draws[row] * 4294967296.0), t);
  if (t == 0u) { tokens[row] = token; }
}
