// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> inputs: array<vec4f>; // [S, fours]

// Columns 4c to 4c + 3 of a row; zeros beyond the last.
fn input(row: u32, c: u32) -> vec4f {
  if (c >= shape.fours) { return vec4f(0.0); }
  return inputs[row * shape.fours + c];
}
