// Constants of a matrix: FOURS vec4s of columns in 16 bytes, BLOCK that share a scale, and PIECE of these in 16 bytes.
// value = q' FACTOR scale + offset, with q' of `four`.
@group(0) @binding(VALUES) var<storage, read> values: array<vec4u>; // [rows, units]
@group(0) @binding(VALUES + 1u) var<storage, read> scales: array<u32>; // [rows, blocks], with or without offsets, fp16 or fp32

// Scale and offset of a block, counted from the first row on.
fn scaleOf(block: u32) -> vec2f {
  if (HALF_SCALES && OFFSETS) { return unpack2x16float(scales[block]); }
  if (HALF_SCALES) {
    let pair = unpack2x16float(scales[block / 2u]);
    return vec2f(select(pair.x, pair.y, block % 2u == 1u), 0.0);
  }
  if (OFFSETS) { return vec2f(bitcast<f32>(scales[2u * block]), bitcast<f32>(scales[2u * block + 1u])); }
  return vec2f(bitcast<f32>(scales[block]), 0.0);
}
