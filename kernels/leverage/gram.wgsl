// Products of a head's channels with one another over a stretch of its rows, exact in whole numbers: sums over digits whose places add up to
// 0, 1, ... 6, the highest first. Only what lies on the diagonal's side that is asked for. Grid: tiles of a and b, stretches, KH.
struct Shape { quads: u32, short: u32, tiles: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> digits: array<vec4u>; // [KH, k, n in fours]
@group(0) @binding(2) var<storage, read_write> products: array<vec4i>; // [KH, stretches, k, k, 2]

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) own: vec3u) {
  let a = group.x / shape.tiles * 16u + own.y;
  let b = group.x % shape.tiles * 16u + own.x;
  if (a >= shape.short || b > a) { return; }
  let left = (group.z * shape.short + a) * shape.quads;
  let right = (group.z * shape.short + b) * shape.quads;
  var high = vec4i(0);
  var low = vec3i(0);
  for (var quad = group.y * STRETCH; quad < min((group.y + 1u) * STRETCH, shape.quads); quad++) {
    let x = digits[left + quad];
    let y = digits[right + quad];
    high += vec4i(
      dot4(x[0], y[0]),
      dot4(x[0], y[1]) + dot4(x[1], y[0]),
      dot4(x[0], y[2]) + dot4(x[1], y[1]) + dot4(x[2], y[0]),
      dot4(x[0], y[3]) + dot4(x[1], y[2]) + dot4(x[2], y[1]) + dot4(x[3], y[0]),
    );
    low += vec3i(
      dot4(x[1], y[3]) + dot4(x[2], y[2]) + dot4(x[3], y[1]),
      dot4(x[2], y[3]) + dot4(x[3], y[2]),
      dot4(x[3], y[3]),
    );
  }
  let at = 2u * (((group.z * groups.y + group.y) * shape.short + a) * shape.short + b);
  products[at] = high;
  products[at + 1u] = vec4i(low, 0);
}
