// The mean of a head's keys at length 1. A workgroup adds up eight parts of all keys: its invocations side by side read 128 bytes of one.
// Grid: tiles of eight parts, KH.
struct Shape { length: u32, parts: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> keys: array<vec4f>; // [KH, n, parts]
@group(0) @binding(2) var<storage, read> inverse: array<f32>; // [KH, n]
@group(0) @binding(3) var<storage, read_write> directions: array<vec4f>; // [KH, parts]

const LANES = 8u;
const KEYS = 32u;
var<workgroup> sums: array<vec4f, KEYS * LANES>;

@compute @workgroup_size(KEYS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let c = group.x * LANES + t % LANES;
  let first = group.y * shape.length;
  var sum = vec4f(0.0);
  if (c < shape.parts) {
    for (var j = first + t / LANES; j < first + shape.length; j += KEYS) { sum += inverse[j] * keys[j * shape.parts + c]; }
  }
  sums[t] = sum;
  workgroupBarrier();
  if (t >= LANES || c >= shape.parts) { return; }
  var total = vec4f(0.0);
  for (var i = 0u; i < KEYS; i++) { total += sums[i * LANES + t]; }
  directions[group.y * shape.parts + c] = total / f32(shape.length);
}
