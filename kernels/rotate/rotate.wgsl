// One head of one row a workgroup: a query, a key or a value, by its place among the heads. Grid: H + 2 KH heads, rows in y and z.
struct Shape {
  rows: u32, heads: u32, kvHeads: u32, size: u32, capacity: u32, at: u32, norm: u32, epsilon: f32, queryScale: f32, unturnedFrom: u32
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> joint: array<f32>; // [S, (H + 2 KH) d]
@group(0) @binding(2) var<storage, read> positions: array<u32>; // [S]
@group(0) @binding(3) var<storage, read> turns: array<f32>; // [M, d]: cosines, then sines
@group(0) @binding(4) var<storage, read> scales: array<f32>; // [2, d], or anything
@group(0) @binding(5) var<storage, read_write> queries: array<f32>; // [H, S, d]
@group(0) @binding(6) var<storage, read_write> keys: array<f32>; // [KH, capacity, d]
@group(0) @binding(7) var<storage, read_write> values: array<f32>; // [KH, capacity, d]

const LANES = 64u;
const SHARE = 8u;

// What a head's channels are divided by, for all of a workgroup's invocations.
fn lengthOf(begin: u32, t: u32) -> f32 {
  var own = 0.0;
  for (var i = t; i < shape.size; i += LANES) { own += joint[begin + i] * joint[begin + i]; }
  return sqrt(totalOf(own, t) / f32(shape.size) + shape.epsilon);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.z * MOST_GROUPS + group.y;
  if (row >= shape.rows) { return; }
  let place = group.x;
  let isQuery = place < shape.heads;
  let isKey = !isQuery && place < shape.heads + shape.kvHeads;
  let begin = (row * (shape.heads + 2u * shape.kvHeads) + place) * shape.size;
  let normed = shape.norm == 1u && (isQuery || isKey);
  var factor = 1.0;
  if (normed) { factor = 1.0 / lengthOf(begin, t); }
  if (isQuery) { factor *= shape.queryScale; }

  let half = shape.size / 2u;
  for (var i = t; i < half; i += LANES) {
    var pair = vec2f(joint[begin + i], joint[begin + half + i]) * factor;
    if (normed) {
      let own = select(shape.size, 0u, isQuery);
      pair *= vec2f(scales[own + i], scales[own + half + i]);
    }
    let angle = positions[row] * shape.size + i;
    let cosine = turns[angle];
    let sine = turns[angle + half];
    let turned = vec2f(pair.x * cosine - pair.y * sine, pair.y * cosine + pair.x * sine);
    if (isQuery) {
      keepUnturned(((shape.unturnedFrom + row) * shape.heads + place) * shape.size + i, half, pair);
      let to = (place * shape.rows + row) * shape.size + i;
      queries[to] = turned.x;
      queries[to + half] = turned.y;
    } else {
      let head = place - shape.heads - select(shape.kvHeads, 0u, isKey);
      let to = (head * shape.capacity + shape.at + row) * shape.size + i;
      if (isKey) {
        keys[to] = turned.x;
        keys[to + half] = turned.y;
      } else {
        values[to] = pair.x;
        values[to + half] = pair.y;
      }
    }
  }
}
