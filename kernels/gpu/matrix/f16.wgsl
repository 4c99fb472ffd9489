// Unpacked in pairs, which every device can: with f16 in shaders a load would have 8 bytes at most, rather than 16.
const FACTOR = vec4f(1.0);

fn four(bits: vec4u, v: u32) -> vec4f {
  let pairs = select(bits.xy, bits.zw, v == 1u);
  return vec4f(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}
