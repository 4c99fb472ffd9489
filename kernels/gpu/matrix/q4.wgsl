// Eight numbers of 4 bits in a word, in the order of the columns. A number is set into the mantissa of 2^23 where it stands, which spares
// conversions and most shifts: arithmetic on 4-bit weights is what a fast memory waits for. The float is 2^23 + 16^p q, and FACTOR takes 16^p back.
const FACTOR = vec4f(1.0, 1.0 / 16.0, 1.0 / 256.0, 1.0 / 4096.0);
const MIDDLE = vec4f(8388608.0) + f32(ZERO) / FACTOR;

fn four(bits: vec4u, v: u32) -> vec4f {
  let word = bits[v / 2u] >> (16u * (v % 2u));
  let q = vec4u(word) & vec4u(0xfu, 0xf0u, 0xf00u, 0xf000u);
  return bitcast<vec4f>(q | vec4u(0x4b000000u)) - MIDDLE;
}
