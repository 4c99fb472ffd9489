// Rows that end within a vec4.
@group(0) @binding(1) var<storage, read> inputs: array<f32>; // [S, K]

// Columns 4c to 4c + 3 of a row; zeros beyond the last.
fn input(row: u32, c: u32) -> vec4f {
  var found = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) {
    if (4u * c + i < shape.columns) { found[i] = inputs[row * shape.columns + 4u * c + i]; }
  }
  return found;
}
