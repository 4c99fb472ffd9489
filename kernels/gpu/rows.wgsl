// What a softmax divides by: for each query, over one of `splits` stretches of SPLIT keys, the highest score and the sum of e^(score - highest).
// Grid: splits, tiles of ROWS queries, H.
@group(0) @binding(3) var<storage, read_write> partial: array<vec2f>; // [H, s, splits]

const NONE = -1e30;
var<workgroup> highest: array<f32, ROWS * KEYS>;
var<workgroup> total: array<f32, ROWS * KEYS>;

@compute @workgroup_size(KEYS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = group.z;
  let firstRow = group.y * ROWS;
  stageRows(head, firstRow, t);
  var top: array<f32, ROWS>;
  var sum: array<f32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { top[r] = NONE; sum[r] = 0.0; }
  // Of the stretch only what any of these queries sees.
  let lastRow = min(firstRow + ROWS, shape.queries) - 1u;
  let begin = max(group.x * SPLIT, seen(firstRow).x / KEYS * KEYS);
  let end = min(group.x * SPLIT + SPLIT, seen(lastRow).y);
  for (var first = begin; first < end; first += KEYS) {
    let scores = scoresOf(head / shape.group, first, t);
    for (var r = 0u; r < ROWS; r++) {
      let range = seen(min(firstRow + r, shape.queries - 1u));
      if (first + t >= range.x && first + t < range.y) {
        let higher = max(top[r], scores[r]);
        sum[r] = sum[r] * exp(top[r] - higher) + exp(scores[r] - higher);
        top[r] = higher;
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { highest[r * KEYS + t] = top[r]; total[r * KEYS + t] = sum[r]; }
  for (var half = KEYS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      for (var r = 0u; r < ROWS; r++) {
        let a = r * KEYS + t;
        let b = a + half;
        let higher = max(highest[a], highest[b]);
        total[a] = total[a] * exp(highest[a] - higher) + total[b] * exp(highest[b] - higher);
        highest[a] = higher;
      }
    }
  }
  workgroupBarrier();
  if (t < ROWS && firstRow + t < shape.queries) {
    let row = head * shape.queries + firstRow + t;
    partial[row * shape.splits + group.x] = vec2f(highest[t * KEYS], total[t * KEYS]);
  }
}
