// The sum of all invocations' numbers, for each of them. LANES invocations; SHARE of them add in a first round, because a barrier takes longer
// than a few additions. To be called by all of a workgroup.
var<workgroup> shares: array<f32, LANES>;

fn totalOf(own: f32, t: u32) -> f32 {
  shares[t] = own;
  workgroupBarrier();
  var part = 0.0;
  if (t < SHARE) {
    for (var i = t; i < LANES; i += SHARE) { part += shares[i]; }
  }
  workgroupBarrier();
  if (t < SHARE) { shares[t] = part; }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < SHARE; i++) { sum += shares[i]; }
  return sum;
}
