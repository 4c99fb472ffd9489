// Sums over a workgroup, in two rounds: each value has LANES / SUMS invocations, which add SUMS lanes each, then one adds theirs.
fn reduced(own: array<f32, SUMS>, t: u32) -> f32 {
  for (var v = 0u; v < SUMS; v++) { partial[v * LANES + t] = own[v]; }
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
