// One workgroup a row.
struct Shape { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<u32>; // [S, V], their bits
@group(0) @binding(2) var<storage, read_write> tokens: array<u32>; // [S]

const LANES = 256u;
const SHARE = 16u;
// What is read before any of it is looked at: a single workgroup has little else to wait with.
const BATCH = 8u;
var<workgroup> best: array<vec2u, LANES>; // rank and token

fn better(a: vec2u, b: vec2u) -> vec2u {
  if (b.x > a.x || (b.x == a.x && b.y < a.y)) { return b; }
  return a;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y * MOST_GROUPS + group.x;
  if (row >= shape.rows) { return; }
  var own = vec2u(NONE, 0u);
  for (var first = t; first < shape.columns; first += LANES * BATCH) {
    var bits: array<u32, BATCH>;
    for (var j = 0u; j < BATCH; j++) { bits[j] = logits[row * shape.columns + min(first + j * LANES, shape.columns - 1u)]; }
    for (var j = 0u; j < BATCH; j++) {
      let rank = rankOf(bits[j]);
      if (rank > own.x) { own = vec2u(rank, min(first + j * LANES, shape.columns - 1u)); }
    }
  }
  best[t] = own;
  workgroupBarrier();
  if (t < SHARE) {
    for (var i = t; i < LANES; i += SHARE) { own = better(own, best[i]); }
  }
  workgroupBarrier();
  if (t < SHARE) { best[t] = own; }
  workgroupBarrier();
  if (t == 0u) {
    for (var i = 1u; i < SHARE; i++) { own = better(own, best[i]); }
    tokens[row] = own.y;
  }
}
