// Sums over a workgroup, in two rounds: each sum has LANES / SUMS invocations, which add SUMS lanes each, then one adds theirs.
fn reduced(own: array<vec4f, COUNT>, t: u32) -> f32 {
  for (var s = 0u; s < COUNT; s++) {
    let at = 4u * s * LANES + t;
    partial[at] = own[s].x;
    partial[at + LANES] = own[s].y;
    partial[at + 2u * LANES] = own[s].z;
    partial[at + 3u * LANES] = own[s].w;
  }
  workgroupBarrier();
  const SHARE = LANES / SUMS;
  let at = t / SHARE * LANES + t % SHARE;
  var sum = partial[at];
  for (var i = 1u; i < SUMS; i++) { sum += partial[at + i * SHARE]; }
  partial[at] = sum;
  workgroupBarrier();
  if (t >= SUMS) { return 0.0; }
  var total = 0.0;
  for (var i = 0u; i < SHARE; i++) { total += partial[t * LANES + i]; }
  return total;
}
