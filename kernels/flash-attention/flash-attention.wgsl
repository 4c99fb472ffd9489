// Causal attention in tiles: ROWS queries of a head against 32 entries at a time, with a running maximum and sum. Grid: tiles of queries, H.
// Constants: D4 vec4s of a head. Scores are products of 2 x 4 tiles in registers; queries and keys pass through workgroup memory in parts
// of 32 channels, so that any head fits; values are read where they lie, whole vec4s side by side.
struct Shape { heads: u32, group: u32, queries: u32, length: u32, capacity: u32, window: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>; // [H, S, D4]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // [KH, capacity, D4]
@group(0) @binding(3) var<storage, read> values: array<vec4f>; // [KH, capacity, D4]
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>; // [S, H, D4]

const THREADS = 128u;
const ROWS = 32u;
const KEYS = 32u;
const PART = 8u;
const LANES = min(D4, 32u); // of a row's channels
const COLUMNS = (D4 + LANES - 1u) / LANES; // vec4s of an invocation
const ROW_LANES = min(ROWS, THREADS / LANES);
const OWN_ROWS = (ROWS + ROW_LANES - 1u) / ROW_LANES;
const NONE = -1e30;

var<workgroup> queryPart: array<vec4f, ROWS * (PART + 1u)>;
var<workgroup> keyPart: array<vec4f, KEYS * (PART + 1u)>;
var<workgroup> weights: array<f32, ROWS * (KEYS + 1u)>;
var<workgroup> quarters: array<f32, ROWS * 4u>;
var<workgroup> highest: array<f32, ROWS>;
var<workgroup> total: array<f32, ROWS>;
var<workgroup> fading: array<f32, ROWS>;

// The entry of query i.
fn position(i: u32) -> u32 { return shape.length - shape.queries + i; }

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = tile.y;
  let firstRow = tile.x * ROWS;
  let kvFirst = head / shape.group * shape.capacity;
  let lastRow = min(firstRow + ROWS, shape.queries) - 1u;
  let end = position(lastRow) + 1u;
  let reach = position(firstRow) + 1u;
  let begin = select(0u, reach - min(reach, shape.window), shape.window > 0u) / KEYS * KEYS;
  let pair = t / 8u * 2u; // this invocation's rows and keys of the scores
  let four = t % 8u * 4u;
  let lane = t % LANES; // and its channels and rows of the result
  let rowLane = t / LANES;
  var sums: array<vec4f, OWN_ROWS * COLUMNS>;
  if (t < ROWS) { highest[t] = NONE; total[t] = 0.0; }

  for (var first = begin; first < end; first += KEYS) {
    var scores = array<array<f32, 4>, 2>();
    for (var part = 0u; part < D4; part += PART) {
      workgroupBarrier();
      for (var i = t; i < ROWS * PART; i += THREADS) {
        let row = i / PART;
        let c = part + i % PART;
        var query = vec4f(0.0);
        var key = vec4f(0.0);
        if (c < D4 && firstRow + row < shape.queries) { query = queries[(head * shape.queries + firstRow + row) * D4 + c]; }
        if (c < D4 && first + row < shape.length) { key = keys[(kvFirst + first + row) * D4 + c]; }
        queryPart[row * (PART + 1u) + i % PART] = query;
        keyPart[row * (PART + 1u) + i % PART] = key;
      }
      workgroupBarrier();
      for (var c = 0u; c < min(PART, D4 - part); c++) {
        let a = queryPart[pair * (PART + 1u) + c];
        let b = queryPart[(pair + 1u) * (PART + 1u) + c];
        for (var k = 0u; k < 4u; k++) {
          let key = keyPart[(four + k) * (PART + 1u) + c];
          scores[0][k] += dot(a, key);
          scores[1][k] += dot(b, key);
        }
      }
    }
    for (var r = 0u; r < 2u; r++) {
      let own = position(firstRow + pair + r);
      for (var k = 0u; k < 4u; k++) {
        let j = first + four + k;
        let isSeen = j <= own && j < end && (shape.window == 0u || j + shape.window > own);
        weights[(pair + r) * (KEYS + 1u) + four + k] = select(NONE, scores[r][k] * shape.scale, isSeen);
      }
    }
    workgroupBarrier();
    let row = t / 4u; // four invocations a row, eight keys each
    var most = NONE;
    for (var k = 0u; k < 8u; k++) { most = max(most, weights[row * (KEYS + 1u) + t % 4u * 8u + k]); }
    quarters[t] = most;
    workgroupBarrier();
    if (t < ROWS) {
      let before = highest[t];
      let higher = max(before, max(max(quarters[t * 4u], quarters[t * 4u + 1u]), max(quarters[t * 4u + 2u], quarters[t * 4u + 3u])));
      highest[t] = higher;
      fading[t] = exp(before - higher);
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var k = 0u; k < 8u; k++) {
      let at = row * (KEYS + 1u) + t % 4u * 8u + k;
      let weight = select(0.0, exp(weights[at] - highest[row]), weights[at] > NONE);
      weights[at] = weight;
      sum += weight;
    }
    quarters[t] = sum;
    workgroupBarrier();
    if (t < ROWS) {
      total[t] = total[t] * fading[t] + quarters[t * 4u] + quarters[t * 4u + 1u] + quarters[t * 4u + 2u] + quarters[t * 4u + 3u];
    }
    if (rowLane < ROW_LANES) {
      for (var r = 0u; r < OWN_ROWS; r++) {
        let fade = fading[min(rowLane + r * ROW_LANES, ROWS - 1u)];
        for (var c = 0u; c < COLUMNS; c++) { sums[r * COLUMNS + c] *= fade; }
      }
      for (var k = 0u; k < min(KEYS, end - first); k++) {
        for (var c = 0u; c < COLUMNS; c++) {
          let channel = min(lane + c * LANES, D4 - 1u);
          let value = values[(kvFirst + first + k) * D4 + channel];
          for (var r = 0u; r < OWN_ROWS; r++) {
            let weight = weights[min(rowLane + r * ROW_LANES, ROWS - 1u) * (KEYS + 1u) + k];
            sums[r * COLUMNS + c] = fma(vec4f(weight), value, sums[r * COLUMNS + c]);
          }
        }
      }
    }
  }
  workgroupBarrier();
  if (rowLane >= ROW_LANES) { return; }
  for (var r = 0u; r < OWN_ROWS; r++) {
    let row = rowLane + r * ROW_LANES;
    if (row >= ROWS || firstRow + row >= shape.queries) { continue; }
    for (var c = 0u; c < COLUMNS; c++) {
      let channel = lane + c * LANES;
      if (channel < D4) { result[((firstRow + row) * shape.heads + head) * D4 + channel] = sums[r * COLUMNS + c] / total[row]; }
    }
  }
}
