// What a layer's projections become: heads normalised, queries scaled, queries and keys turned by RoPE. One workgroup a head of a row.
// Grid: H + 2 KH, S.
struct Shape { heads: u32, kvHeads: u32, rows: u32, half: u32, norms: u32, before: u32, firstEntry: u32, epsilon: f32, factor: f32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> joint: array<f32>; // [S, (H + 2 KH) * d]
@group(0) @binding(2) var<storage, read> norms: array<f32>; // of queries and of keys: [2, d]
@group(0) @binding(3) var<storage, read> table: array<vec2f>; // cosine and sine: [M, d / 2]
@group(0) @binding(4) var<storage, read> positions: array<u32>; // [S]
@group(0) @binding(5) var<storage, read_write> queries: array<f32>; // [H, S, d]
@group(0) @binding(6) var<storage, read_write> before: array<f32>; // from row `before` on [S, H * d]
@group(0) @binding(7) var<storage, read_write> keys: array<f32>; // from `firstEntry` on [KH, S, d]
@group(0) @binding(8) var<storage, read_write> values: array<f32>; // the same

const THREADS = 64u;
const NOWHERE = 0xffffffffu;
var<workgroup> parts: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = group.x;
  let row = group.y;
  let size = 2u * shape.half;
  let first = (row * (shape.heads + 2u * shape.kvHeads) + head) * size;
  let isQuery = head < shape.heads;
  let isKey = !isQuery && head < shape.heads + shape.kvHeads;
  if (!isQuery && !isKey) {
    let entry = shape.firstEntry + (head - shape.heads - shape.kvHeads) * shape.rows + row;
    for (var c = t; c < size; c += THREADS) { values[entry * size + c] = joint[first + c]; }
    return;
  }
  var factor = 1.0;
  if (shape.norms > 0u) {
    var sum = 0.0;
    for (var c = t; c < size; c += THREADS) { sum += joint[first + c] * joint[first + c]; }
    parts[t] = sum;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { parts[t] += parts[t + half]; }
    }
    workgroupBarrier();
    factor = inverseSqrt(parts[0] / f32(size) + shape.epsilon);
  }
  if (isQuery) { factor *= shape.factor; }
  let scales = select(size, 0u, isQuery);
  let turn = positions[row] * shape.half;
  for (var c = t; c < shape.half; c += THREADS) {
    var a = joint[first + c] * factor;
    var b = joint[first + c + shape.half] * factor;
    if (shape.norms > 0u) {
      a *= norms[scales + c];
      b *= norms[scales + c + shape.half];
    }
    if (isQuery && shape.before != NOWHERE) {
      let at = ((shape.before + row) * shape.heads + head) * size + c;
      before[at] = a;
      before[at + shape.half] = b;
    }
    let angle = table[turn + c];
    let turned = vec2f(a * angle.x - b * angle.y, b * angle.x + a * angle.y);
    if (isQuery) {
      let at = (head * shape.rows + row) * size + c;
      queries[at] = turned.x;
      queries[at + shape.half] = turned.y;
    } else {
      let at = (shape.firstEntry + (head - shape.heads) * shape.rows + row) * size + c;
      keys[at] = turned.x;
      keys[at + shape.half] = turned.y;
    }
  }
}
