// One token's attention to a stretch of one KV head's entries, for all query heads that read it: flash decoding, first pass.
// Grid: stretches, KH, rows. Constants: D4 vec4s of a head, G query heads of a KV head.
// Four invocations read a key side by side, and D4 of them a value, so that whole sectors of memory are used; keys are read once for all G.
struct Shape { kvHeads: u32, rows: u32, firstList: u32, stretch: u32, splits: u32, window: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>; // [KH * G, R, D4]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // [pages, PAGE, D4]
@group(0) @binding(3) var<storage, read> values: array<vec4f>;
@group(0) @binding(4) var<storage, read> table: array<u32>;
@group(0) @binding(5) var<storage, read> lists: array<vec4u>; // from firstList on [R, KH]: first page and count of what was kept, and of what came after
@group(0) @binding(6) var<storage, read> positions: array<u32>; // [pages, PAGE]
@group(0) @binding(7) var<storage, read> rowPositions: array<u32>; // [R]
@group(0) @binding(8) var<storage, read_write> parts: array<vec4f>; // [R, KH * G, splits, D4 + 1]: the weighted values, then highest score and sum

const THREADS = 128u;
const ENTRIES = 128u; // looked at together
const LANES = 4u; // of a key
const KEYS = THREADS / LANES;
const WIDE = min(D4, THREADS); // lanes of a value
const SLICES = THREADS / WIDE;
const COLUMNS = (D4 + WIDE - 1u) / WIDE;
const NONE = -1e30;

var<workgroup> query: array<vec4f, G * D4>;
var<workgroup> slots: array<u32, ENTRIES>;
var<workgroup> weights: array<f32, G * ENTRIES>;
var<workgroup> scratch: array<f32, THREADS * G>;
var<workgroup> highest: array<f32, G>;
var<workgroup> total: array<f32, G>;
var<workgroup> fading: array<f32, G>;
var<workgroup> joined: array<vec4f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.z;
  let list = lists[shape.firstList + row * shape.kvHeads + group.y];
  let begin = group.x * shape.stretch;
  let end = min(begin + shape.stretch, list.y + list.w);
  let firstHead = (row * shape.kvHeads + group.y) * G;
  for (var i = t; i < G * D4; i += THREADS) { query[i] = queries[((group.y * G + i / D4) * shape.rows + row) * D4 + i % D4]; }
  if (t < G) { highest[t] = NONE; total[t] = 0.0; }
  let wide = t % WIDE;
  let slice = t / WIDE;
  var sum = array<vec4f, G * COLUMNS>();

  for (var first = begin; first < end; first += ENTRIES) {
    let count = min(ENTRIES, end - first);
    workgroupBarrier();
    if (t < count) {
      let entry = first + t;
      let i = select(entry, entry - list.y, entry >= list.y);
      slots[t] = table[select(list.x, list.z, entry >= list.y) + i / PAGE] * PAGE + i % PAGE;
    }
    workgroupBarrier();
    for (var base = 0u; base < ENTRIES; base += KEYS) {
      let key = base + t / LANES;
      var scores = array<f32, G>();
      if (key < count) {
        let at = slots[key] * D4;
        for (var c = t % LANES; c < D4; c += LANES) {
          let channels = keys[at + c];
          for (var g = 0u; g < G; g++) { scores[g] += dot(query[g * D4 + c], channels); }
        }
      }
      for (var g = 0u; g < G; g++) { scratch[t * G + g] = scores[g]; }
      workgroupBarrier();
      if (t % LANES == 0u) {
        var isSeen = key < count;
        if (isSeen && shape.window > 0u) { isSeen = positions[slots[key]] + shape.window > rowPositions[row]; }
        for (var g = 0u; g < G; g++) {
          let score = scratch[t * G + g] + scratch[(t + 1u) * G + g] + scratch[(t + 2u) * G + g] + scratch[(t + 3u) * G + g];
          weights[g * ENTRIES + key] = select(NONE, score * shape.scale, isSeen);
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
          let value = values[slots[key] * D4 + min(wide + c * WIDE, D4 - 1u)];
          for (var g = 0u; g < G; g++) { sum[g * COLUMNS + c] = fma(vec4f(weights[g * ENTRIES + key]), value, sum[g * COLUMNS + c]); }
        }
      }
    }
  }
  for (var g = 0u; g < G; g++) {
    let head = (firstHead + g) * shape.splits + group.x;
    for (var c = 0u; c < COLUMNS; c++) {
      workgroupBarrier();
      joined[t] = sum[g * COLUMNS + c];
      workgroupBarrier();
      if (t < WIDE && wide + c * WIDE < D4) {
        var all = joined[t];
        for (var s = 1u; s < SLICES; s++) { all += joined[s * WIDE + t]; }
        parts[head * (D4 + 1u) + wide + c * WIDE] = all;
      }
    }
    if (t == 0u) { parts[head * (D4 + 1u) + D4] = vec4f(highest[g], total[g], 0.0, 0.0); }
  }
}
