// Sums over a workgroup: within subgroups first. WGSL does not promise it, but every backend puts the invocations of a workgroup of one
// dimension into subgroups in their order.
fn reduced(own: array<f32, SUMS>, t: u32) -> f32 {
  let size = subgroupAdd(1u);
  for (var v = 0u; v < SUMS; v++) {
    let sum = subgroupAdd(own[v]);
    if (subgroupElect()) { partial[v * LANES + t / size] = sum; }
  }
  workgroupBarrier();
  if (t >= SUMS) { return 0.0; }
  var total = 0.0;
  for (var i = 0u; i < LANES / size; i++) { total += partial[t * LANES + i]; }
  return total;
}
