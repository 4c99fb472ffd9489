// Sums over a workgroup: within subgroups first. WGSL does not promise it, but every backend puts the invocations of a workgroup of one
// dimension into subgroups in their order.
fn reduced(own: array<vec4f, COUNT>, t: u32) -> f32 {
  let size = subgroupAdd(1u);
  for (var s = 0u; s < COUNT; s++) {
    let sum = subgroupAdd(own[s]);
    if (subgroupElect()) {
      let at = 4u * s * LANES + t / size;
      partial[at] = sum.x;
      partial[at + LANES] = sum.y;
      partial[at + 2u * LANES] = sum.z;
      partial[at + 3u * LANES] = sum.w;
    }
  }
  workgroupBarrier();
  if (t >= SUMS) { return 0.0; }
  var total = 0.0;
  for (var i = 0u; i < LANES / size; i++) { total += partial[t * LANES + i]; }
  return total;
}
