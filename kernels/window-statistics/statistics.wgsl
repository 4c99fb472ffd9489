// Weighted sums over a head's queries of their attention to each earlier key, of its square, and of its entropy. Grid: tiles of 64 keys, H.
@group(0) @binding(3) var<storage, read> divisors: array<f32>; // [H, s]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [s]
@group(0) @binding(5) var<storage, read_write> sums: array<f32>; // [H, n - s]
@group(0) @binding(6) var<storage, read_write> squares: array<f32>; // [H, n - s]
@group(0) @binding(7) var<storage, read_write> entropies: array<f32>; // [H, tiles]

var<workgroup> parts: array<f32, KEYS>;

@compute @workgroup_size(KEYS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = group.y;
  let key = group.x * KEYS + t;
  let earlier = shape.length - shape.queries;
  var sum = 0.0;
  var square = 0.0;
  var entropy = 0.0;
  let range = looking(group.x * KEYS);
  for (var first = range.x; first < range.y; first += ROWS) {
    workgroupBarrier();
    stageRows(head, first, t);
    let scores = scoresOf(head / shape.group, group.x * KEYS, t);
    for (var r = 0u; r < min(ROWS, shape.queries - first); r++) {
      let visible = seen(first + r);
      if (key < visible.x || key >= earlier) { continue; }
      let logarithm = scores[r] - divisors[head * shape.queries + first + r];
      let attention = exp(logarithm);
      let share = weights[first + r] * attention;
      sum += share;
      square += share * attention;
      if (attention > 0.0) { entropy -= share * logarithm; }
    }
  }
  if (key < earlier) {
    sums[head * earlier + key] = sum;
    squares[head * earlier + key] = square;
  }
  parts[t] = entropy;
  for (var half = KEYS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { parts[t] += parts[t + half]; }
  }
  if (t == 0u) { entropies[head * shape.tiles + group.x] = parts[0]; }
}
