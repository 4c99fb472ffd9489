// What one workgroup a row works on: the row's tokens, what is left of them, and their weights, whole numbers that may be added in any order.
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
