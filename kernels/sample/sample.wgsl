// Reads a row's logits a few times: for the highest, for what the softmax divides by, three times for each limit, and to find the token drawn.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = group.y * MOST_GROUPS + group.x;
  if (row >= shape.rows) { return; }
  begin = row * shape.columns;

  var highest = NONE;
  var possible = 0u;
  for (var first = t; first < shape.columns; first += LANES * BATCH) {
    let bits = batchAt(first, LANES, shape.columns);
    for (var j = 0u; j < BATCH; j++) {
      let rank = rankOf(bits[j]);
      highest = max(highest, rank);
      possible += select(0u, 1u, rank > NONE);
    }
  }
  atomicStore(&bins[t], highest);
  addGroups(possible, t);
  if (t == 0u) {
    for (var i = 1u; i < LANES; i++) { highest = max(highest, atomicLoad(&bins[i])); }
    found = vec4u(highest, sumOfGroups(), 0u, 0u);
  }
  let seen = workgroupUniformLoad(&found);
  level = seen.x;
  if (seen.x == NONE || seen.x == INFINITY_RANK) {
    let token = place(LEVEL, 0u, t);
    if (t == 0u) { tokens[row] = select(token, 0u, seen.x == NONE); }
    return;
  }

  top = bitcast<f32>(bitsOf(seen.x));
  var mass = 0.0;
  for (var first = t; first < shape.columns; first += LANES * BATCH) {
    let bits = batchAt(first, LANES, shape.columns);
    for (var j = 0u; j < BATCH; j++) {
      if (rankOf(bits[j]) > NONE) { mass += massOf(bits[j]); }
    }
  }
  atomicStore(&bins[t], bitcast<u32>(mass));
  workgroupBarrier();
  var all = 0.0;
  for (var i = 0u; i < LANES; i++) { all += bitcast<f32>(atomicLoad(&bins[i])); }
  unit = 2147483648.0 / all;
  workgroupBarrier();

  if (shape.topK > 0u && shape.topK < seen.y) { limit(COUNT, t); }
  if (shape.topP < 1.0) { limit(MASS, t); }
  let token = place(MASS, u32(draws[row] * 4294967296.0), t);
  if (t == 0u) { tokens[row] = token; }
}
