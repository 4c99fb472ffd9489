// What `join` makes of each vector's products with the other vectors of its row. Each kernel brings
//   State; fn start() -> State; fn join(before: State, product: f32, vector: u32, column: u32) -> State; fn merge(a: State, b: State) -> State
//   fn count(row: u32) -> u32: the others of a row; fn other(row: u32, column: u32, c: u32) -> vec4f: a part of one
//   fn finish(item: u32, vector: u32, state: State): writes the result
// 64 vectors and 64 others at a time, 4 x 4 for each of 256 invocations, which so read every staged part for four products. Same parts of
// all stand side by side, in rows two longer than a tile: then no two invocations that write or read at once wait for one bank.
// Grid: tiles of 64 vectors, R.
struct Shape { length: u32, group: u32, parts: u32, rows: u32, others: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>; // [KH, n, parts]

const WIDE = 16u;
const TILE = 4u * WIDE;
const PARTS = 4u; // that are staged at a time
const STRIDE = TILE + 2u;
var<workgroup> left: array<vec4f, PARTS * STRIDE>;
var<workgroup> right: array<vec4f, PARTS * STRIDE>;
var<workgroup> states: array<State, WIDE * WIDE>;

@compute @workgroup_size(WIDE * WIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y;
  let first = group.x * TILE;
  let head = row / shape.group * shape.length;
  let columns = count(row);
  let x = t % WIDE;
  let y = t / WIDE;
  var joined = array<State, 4>(start(), start(), start(), start()); // of vectors y, y + 16, ..., over columns x, x + 16, ...
  for (var tile = 0u; tile < columns; tile += TILE) {
    var products = array<vec4f, 4>();
    for (var part = 0u; part < shape.parts; part += PARTS) {
      let i = t / PARTS;
      let c = part + t % PARTS;
      var a = vec4f(0.0);
      var b = vec4f(0.0);
      if (c < shape.parts) {
        if (first + i < shape.length) { a = vectors[(head + first + i) * shape.parts + c]; }
        if (tile + i < columns) { b = other(row, tile + i, c); }
      }
      workgroupBarrier();
      left[t % PARTS * STRIDE + i] = a;
      right[t % PARTS * STRIDE + i] = b;
      workgroupBarrier();
      for (var c = 0u; c < PARTS; c++) {
        let at = c * STRIDE + x;
        let b0 = right[at];
        let b1 = right[at + WIDE];
        let b2 = right[at + 2u * WIDE];
        let b3 = right[at + 3u * WIDE];
        for (var i = 0u; i < 4u; i++) {
          let a = left[c * STRIDE + y + i * WIDE];
          products[i] += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
        }
      }
    }
    for (var i = 0u; i < 4u; i++) {
      let vector = head + min(first + y + i * WIDE, shape.length - 1u);
      for (var j = 0u; j < 4u; j++) {
        let column = tile + x + j * WIDE;
        if (column < columns) { joined[i] = join(joined[i], products[i][j], vector, column); }
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    workgroupBarrier();
    states[t] = joined[i];
    workgroupBarrier();
    let vector = first + t + i * WIDE;
    if (t < WIDE && vector < shape.length) {
      var state = states[t * WIDE];
      for (var lane = 1u; lane < WIDE; lane++) { state = merge(state, states[t * WIDE + lane]); }
      finish(row * shape.length + vector, head + vector, state);
    }
  }
}
