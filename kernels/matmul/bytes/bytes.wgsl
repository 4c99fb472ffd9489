// What both shapes of the product in bytes share: numbers of W as signed bytes, in the order in which x lies beside them.
@group(0) @binding(1) var<storage, read> bytes: array<vec4u>; // [S, stretches, 2]
@group(0) @binding(4) var<storage, read> scalesOfX: array<vec4u>; // [S, stretches, 8 / PIECE]: scale, sums of numbers and of bytes

// Half of a stretch of 32 columns.
fn bytesOfW(row: u32, stretch: u32, half: u32) -> vec4u {
  let first = row * shape.units;
  if (NIBBLES) { return (values[first + stretch] >> vec4u(4u * half)) & vec4u(0x0f0f0f0fu); }
  return values[first + min(2u * stretch + half, shape.units - 1u)] ^ vec4u(0x80808080u);
}

// What a piece adds. Numbers of 4 bits lie about their middle, 8, as on the CPU: so least is lost of x. Offsets meet x as it is.
fn ofPiece(dots: vec4i, ofX: vec4u, scale: vec4f, offset: vec4f) -> vec4f {
  let own = bitcast<f32>(ofX.x);
  var products = vec4f(dots);
  if (NIBBLES) { products = vec4f(dots - vec4i(8 * bitcast<i32>(ofX.z))); }
  let sum = scale * (own * products);
  if (!OFFSETS) { return sum; }
  return sum + (offset + scale * f32(MOVED)) * bitcast<f32>(ofX.y);
}
