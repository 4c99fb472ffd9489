// Numbers by their bits, so that no device takes NaN for something else.
const NAN = 0x7fc00000u;
const INFINITY_RANK = 0xff800000u;
// What a number must be above to be possible: minus infinity.
const NONE = 0x007fffffu;

// A whole number that grows with the number that has these bits: equal for zeros of either sign, least for NaN.
fn rankOf(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  if (bits == 0x80000000u) { return 0x80000000u; }
  return bits ^ select(0x80000000u, 0xffffffffu, bits >> 31u == 1u);
}

fn bitsOf(rank: u32) -> u32 { return rank ^ select(0xffffffffu, 0x80000000u, rank >> 31u == 1u); }
