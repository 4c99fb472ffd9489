// Finds what a limit leaves, by the bits of ranks: a histogram of weights for each of three groups of them.
// Leaves the fewest most likely tokens whose weights reach topK, or the share topP of their sum.
fn limit(kind: u32, t: u32) {
  var prefix = 0u;
  var crossing = vec4u(); // bin, weight above it, its own, and what is to be reached
  for (var turn = 0u; turn < 3u; turn++) {
    let shift = select(select(0u, 10u, turn == 1u), 21u, turn == 0u);
    let width = select(11u, 10u, turn == 2u);
    for (var b = t; b < BINS; b += LANES) { atomicStore(&bins[b], 0u); }
    workgroupBarrier();
    for (var first = t; first < shape.columns; first += LANES * BATCH) {
      let bits = batchAt(first, LANES, shape.columns);
      for (var j = 0u; j < BATCH; j++) {
        let rank = rankOf(bits[j]);
        if (turn > 0u && rank >> (shift + width) != prefix) { continue; }
        let weight = weightOf(first + j * LANES, bits[j], rank, kind);
        if (weight > 0u) { atomicAdd(&bins[(rank >> shift) & ((1u << width) - 1u)], weight); }
      }
    }
    workgroupBarrier();
    var own = 0u;
    for (var i = 0u; i < OWN; i++) { own += atomicLoad(&bins[t * OWN + i]); }
    addGroups(own, t);
    var goal = crossing.w;
    if (turn == 0u) {
      let total = sumOfGroups();
      goal = select(shape.topK, clamp(u32(ceil(shape.topP * f32(total))), 1u, total), kind == MASS);
    }
    var above = crossing.y;
    for (var i = t / SHARE + 1u; i < SHARE; i++) { above += groups[i]; }
    for (var i = t + 1u; i < (t / SHARE + 1u) * SHARE; i++) { above += lanes[i]; }
    if (above < goal && above + own >= goal) {
      var b = (t + 1u) * OWN - 1u;
      var weight = atomicLoad(&bins[b]);
      while (above + weight < goal) {
        above += weight;
        b--;
        weight = atomicLoad(&bins[b]);
      }
      found = vec4u(b, above, weight, goal);
    }
    crossing = workgroupUniformLoad(&found);
    prefix = (prefix << width) | crossing.x;
  }
  level = prefix;
  if (t == 0u) {
    let each = select(1u, u32(massOf(bitsOf(prefix)) * unit + 0.5), kind == MASS);
    let needed = (crossing.w - crossing.y + each - 1u) / each;
    found = vec4u(needed, select(0u, 1u, needed * each < crossing.z), 0u, 0u);
  }
  let equal = workgroupUniformLoad(&found); // how many of the last rank are needed, and whether some are not
  var end = select(shape.columns, cut, prefix == least);
  if (equal.y == 1u) { end = place(LEVEL, equal.x - 1u, t) + 1u; }
  least = prefix;
  cut = end;
}
