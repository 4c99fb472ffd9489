// One number for each vector, or for it and another one: sums over their parts, and what they make. `Sums`, `term` and `finish` are written
// in front. Eight invocations a vector read 128 bytes side by side, which is what memory gives at once.
struct Shape { items: u32, length: u32, group: u32, parts: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>; // [KH, n, parts]
@group(0) @binding(2) var<storage, read> others: array<vec4f>; // [R, parts]
@group(0) @binding(3) var<storage, read_write> numbers: array<f32>; // [R, n]

const LANES = 8u;
const VECTORS = 32u;
var<workgroup> sums: array<Sums, VECTORS * LANES>;

@compute @workgroup_size(VECTORS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = (group.y * MOST_GROUPS + group.x) * VECTORS;
  let own = first + t / LANES;
  var sum = Sums();
  if (own < shape.items) {
    let row = own / shape.length;
    let vector = row / shape.group * shape.length + own % shape.length;
    for (var c = t % LANES; c < shape.parts; c += LANES) {
      sum += term(vectors[vector * shape.parts + c], others[row * shape.parts + c]);
    }
  }
  sums[t] = sum;
  workgroupBarrier();
  if (t >= VECTORS || first + t >= shape.items) { return; }
  var total = Sums();
  for (var lane = 0u; lane < LANES; lane++) { total += sums[t * LANES + lane]; }
  numbers[first + t] = finish(total);
}
