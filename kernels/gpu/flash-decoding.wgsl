// Attention of one token to a stretch of one KV head's entries, for all query heads that read it: flash decoding, first pass.
// Constants: D4 vec4s of a head, G query heads of a KV head.
// Four invocations read a key side by side, and D4 of them a value, so that whole sectors of memory are used; keys are read once for all G.
//
// How entries are stored is another file's, which binds `parts` (for each stretch of a query head the weighted values, D4 vec4s, and then
// highest score and sum) and says, of the entry `first + key`:
//   stretchOf(group)                    which entries, and where the result goes
//   begin(group, t)                     what is done once
//   locate(group, first, count, t)      what is done for each tile of entries
//   prepare(group, first, t)            what is done for each KEYS of them; barriers included
//   products(group, first, key, lane)   a lane's share of each query head's product with a key
//   factor(group, first, key), isSeen   what products are times, and whether they count
//   valueOf(group, first, key, c)       four channels of a value
struct Stretch { begin: u32, end: u32, part: u32, splits: u32 }

const THREADS = 128u;
const ENTRIES = 128u; // looked at together
const LANES = 4u; // of a key
const KEYS = THREADS / LANES;
const WIDE = min(D4, THREADS); // lanes of a value
const SLICES = THREADS / WIDE;
const COLUMNS = (D4 + WIDE - 1u) / WIDE;
const NONE = -1e30;

var<workgroup> weights: array<f32, G * ENTRIES>;
var<workgroup> scratch: array<f32, THREADS * G>;
var<workgroup> highest: array<f32, G>;
var<workgroup> total: array<f32, G>;
var<workgroup> fading: array<f32, G>;
var<workgroup> joined: array<vec4f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let stretch = stretchOf(group);
  begin(group, t);
  if (t < G) { highest[t] = NONE; total[t] = 0.0; }
  let wide = t % WIDE;
  let slice = t / WIDE;
  var sum = array<vec4f, G * COLUMNS>();

  for (var first = stretch.begin; first < stretch.end; first += ENTRIES) {
    let count = min(ENTRIES, stretch.end - first);
    workgroupBarrier();
    locate(group, first, count, t);
    workgroupBarrier();
    for (var base = 0u; base < ENTRIES; base += KEYS) {
      prepare(group, first + base, t);
      let key = base + t / LANES;
      var scores = array<f32, G>();
      if (key < count) { scores = products(group, first, key, t % LANES); }
      for (var g = 0u; g < G; g++) { scratch[t * G + g] = scores[g]; }
      workgroupBarrier();
      if (t % LANES == 0u) {
        let counts = key < count && isSeen(group, first, key);
        let scale = factor(group, first, key);
        for (var g = 0u; g < G; g++) {
          let score = scratch[t * G + g] + scratch[(t + 1u) * G + g] + scratch[(t + 2u) * G + g] + scratch[(t + 3u) * G + g];
          weights[g * ENTRIES + key] = select(NONE, score * scale, counts);
        }
      }
      workgroupBarrier();
    }
    // Of each query head: the highest, then the sum.
    for (var g = 0u; g < G; g++) { scratch[g * THREADS + t] = weights[g * ENTRIES + t]; }
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { for (var g = 0u; g < G; g++) { let at = g * THREADS + t; scratch[at] = max(scratch[at], scratch[at + half]); } }
    }
    workgroupBarrier();
    if (t < G) {
      let higher = max(highest[t], scratch[t * THREADS]);
      fading[t] = exp(highest[t] - higher);
      highest[t] = higher;
    }
    workgroupBarrier();
    for (var g = 0u; g < G; g++) {
      let score = weights[g * ENTRIES + t];
      let weight = select(0.0, exp(score - highest[g]), score > NONE);
      weights[g * ENTRIES + t] = weight;
      scratch[g * THREADS + t] = weight;
    }
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { for (var g = 0u; g < G; g++) { let at = g * THREADS + t; scratch[at] += scratch[at + half]; } }
    }
    workgroupBarrier();
    if (t < G) { total[t] = total[t] * fading[t] + scratch[t * THREADS]; }
    for (var i = 0u; i < G * COLUMNS; i++) { sum[i] *= fading[i / COLUMNS]; }
    if (slice < SLICES) {
      for (var key = slice; key < count; key += SLICES) {
        for (var c = 0u; c < COLUMNS; c++) {
          let value = valueOf(group, first, key, min(wide + c * WIDE, D4 - 1u));
          for (var g = 0u; g < G; g++) { sum[g * COLUMNS + c] = fma(vec4f(weights[g * ENTRIES + key]), value, sum[g * COLUMNS + c]); }
        }
      }
    }
  }
  for (var g = 0u; g < G; g++) {
    let part = stretch.part + g * stretch.splits;
    for (var c = 0u; c < COLUMNS; c++) {
      workgroupBarrier();
      joined[t] = sum[g * COLUMNS + c];
      workgroupBarrier();
      if (t < WIDE && wide + c * WIDE < D4) {
        var all = joined[t];
        for (var s = 1u; s < SLICES; s++) { all += joined[s * WIDE + t]; }
        parts[part * (D4 + 1u) + wide + c * WIDE] = all;
      }
    }
    if (t == 0u) { parts[part * (D4 + 1u) + D4] = vec4f(highest[g], total[g], 0.0, 0.0); }
  }
}
