// Sums over s of vectors and of their products with themselves. A workgroup makes 64 x 64 of a row's products, 4 x 4 for each invocation, from
// 16 vectors at a time; what these add up to is added to the rest, so that long sums lose less. Grid: tiles of both dimensions, r.
struct Shape { count: u32, rows: u32, size: u32, tiles: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>; // [s, r, parts]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // [r, d]
@group(0) @binding(3) var<storage, read_write> products: array<f32>; // [r, d, d]

const WIDE = 16u; // vec4s of a tile, and vectors that are staged at a time
var<workgroup> left: array<vec4f, WIDE * WIDE>;
var<workgroup> right: array<vec4f, WIDE * WIDE>;

fn part(s: u32, row: u32, c: u32) -> vec4f {
  let parts = (shape.size + 3u) / 4u;
  if (s >= shape.count || c >= parts) { return vec4f(0.0); }
  return vectors[(s * shape.rows + row) * parts + c];
}

@compute @workgroup_size(WIDE * WIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y;
  let x = t % WIDE;
  let y = t / WIDE;
  let across = group.x % shape.tiles * WIDE;
  let down = group.x / shape.tiles * WIDE;
  var totals = array<vec4f, 4>();
  var sum = vec4f(0.0);
  for (var first = 0u; first < shape.count; first += WIDE) {
    workgroupBarrier();
    left[t] = part(first + y, row, down + x);
    right[t] = part(first + y, row, across + x);
    workgroupBarrier();
    var some = array<vec4f, 4>();
    var own = vec4f(0.0);
    for (var s = 0u; s < WIDE; s++) {
      let a = left[s * WIDE + y];
      let b = right[s * WIDE + x];
      for (var i = 0u; i < 4u; i++) { some[i] += a[i] * b; }
      own += b;
    }
    for (var i = 0u; i < 4u; i++) { totals[i] += some[i]; }
    sum += own;
  }
  for (var j = 0u; j < 4u; j++) {
    let b = 4u * (across + x) + j;
    if (b >= shape.size) { continue; }
    if (down == 0u && y == 0u) { sums[row * shape.size + b] = sum[j]; }
    for (var i = 0u; i < 4u; i++) {
      let a = 4u * (down + y) + i;
      if (a < shape.size) { products[(row * shape.size + a) * shape.size + b] = totals[i][j]; }
    }
  }
}
