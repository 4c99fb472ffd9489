// Scores of 64 keys against a tile of queries that stand in workgroup memory. Written in front of programs that need it.
// Constants: D4 vec4s of a head, ROWS queries of a tile. Without a chunk attention is causal, within chunks it goes in both directions.
struct Shape { heads: u32, group: u32, queries: u32, length: u32, stride: u32, window: u32, chunk: u32, splits: u32, tiles: u32, columns: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>; // [H, s, D4]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // [KH, stride, D4], of which n count

const KEYS = 64u;
const PART = 4u; // vec4s of a key that are staged at a time
var<workgroup> rows: array<vec4f, ROWS * D4>;
var<workgroup> staged: array<vec4f, KEYS * (PART + 1u)>;

// The keys that query i sees: [x, y).
fn seen(i: u32) -> vec2u {
  if (shape.chunk > 0u) {
    let first = i / shape.chunk * shape.chunk;
    return vec2u(first, min(first + shape.chunk, shape.length));
  }
  let end = shape.length - shape.queries + i + 1u;
  return vec2u(select(0u, end - min(end, shape.window), shape.window > 0u), end);
}

// The queries that see any of 64 keys from `key` on: [x, y).
fn looking(key: u32) -> vec2u {
  let last = min(key + KEYS, shape.length) - 1u;
  if (shape.chunk > 0u) {
    return vec2u(key / shape.chunk * shape.chunk, min((last / shape.chunk + 1u) * shape.chunk, shape.queries));
  }
  let before = shape.length - shape.queries; // keys before the first query's own
  let end = select(shape.length, min(last + shape.window, shape.length), shape.window > 0u);
  return vec2u(max(key, before) - before, max(end, before) - before);
}

// Queries [first, first + ROWS) of a head; zeros beyond the last.
fn stageRows(head: u32, first: u32, t: u32) {
  for (var i = t; i < ROWS * D4; i += KEYS) {
    let row = first + i / D4;
    var value = vec4f(0.0);
    if (row < shape.queries) { value = queries[(head * shape.queries + row) * D4 + i % D4]; }
    rows[i] = value;
  }
}

// Scaled products of this invocation's key, first + t, with all staged queries.
fn scoresOf(kvHead: u32, first: u32, t: u32) -> array<f32, ROWS> {
  var sums = array<f32, ROWS>();
  for (var part = 0u; part < D4; part += PART) {
    workgroupBarrier();
    for (var i = t; i < KEYS * PART; i += KEYS) {
      let key = first + i / PART;
      let c = part + i % PART;
      var value = vec4f(0.0);
      if (key < shape.length && c < D4) { value = keys[(kvHead * shape.stride + key) * D4 + c]; }
      staged[i / PART * (PART + 1u) + i % PART] = value;
    }
    workgroupBarrier();
    for (var c = 0u; c < min(PART, D4 - part); c++) {
      let key = staged[t * (PART + 1u) + c];
      for (var r = 0u; r < ROWS; r++) { sums[r] += dot(rows[r * D4 + part + c], key); }
    }
  }
  for (var r = 0u; r < ROWS; r++) { sums[r] *= shape.scale; }
  return sums;
}
