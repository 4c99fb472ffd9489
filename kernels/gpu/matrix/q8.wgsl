// Four numbers of 8 bits in a word, in the order of the columns. A number is set into the mantissa of 2^23 where it stands, which spares
// conversions and every second shift: devices convert a quarter as fast as they add. The float is 2^23 + 256^p q, and FACTOR takes 256^p back.
const FACTOR = vec4f(1.0, 1.0 / 256.0, 1.0, 1.0 / 256.0);
const MIDDLE = vec4f(8388608.0) + f32(ZERO) / FACTOR;

fn four(bits: vec4u, v: u32) -> vec4f {
  let word = bits[v];
  let q = vec4u(word, word, word >> 16u, word >> 16u) & vec4u(0xffu, 0xff00u, 0xffu, 0xff00u);
  return bitcast<vec4f>(q | vec4u(0x4b000000u)) - MIDDLE;
}
