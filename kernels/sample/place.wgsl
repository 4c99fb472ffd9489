// Finds a token by the weight before it, in the order of the tokens, sixteen stretches at a time.
fn highProduct(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

// The token at which the weight of those before it and its own exceeds `at`; for masses, `at` is a share of their sum in 2^-32.
fn place(kind: u32, at: u32, t: u32) -> u32 {
  var low = 0u;
  var high = shape.columns;
  var left = at;
  while (high - low > 1u) {
    let step = (high - low + SHARE - 1u) / SHARE;
    let start = min(low + t / SHARE * step, high);
    let to = min(start + step, high);
    var own = 0u;
    for (var first = start + t % SHARE; first < to; first += SHARE * BATCH) {
      let bits = batchAt(first, SHARE, to);
      for (var j = 0u; j < BATCH; j++) { own += weightOf(first + j * SHARE, bits[j], rankOf(bits[j]), kind); }
    }
    addGroups(own, t);
    if (t == 0u) {
      if (kind == MASS && low == 0u && high == shape.columns) { left = highProduct(left, sumOfGroups()); }
      var i = 0u;
      while (i < SHARE - 1u && left >= groups[i]) {
        left -= groups[i];
        i++;
      }
      found = vec4u(low + i * step, min(low + (i + 1u) * step, high), left, 0u);
    }
    let next = workgroupUniformLoad(&found);
    low = next.x;
    high = next.y;
    left = next.z;
  }
  return low;
}
