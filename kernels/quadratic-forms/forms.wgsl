// The others are the rows of a matrix; what a key makes of each counts as often as the key reaches that way: sum over a of (M k)[a] k[a].
@group(0) @binding(2) var<storage, read> matrices: array<vec4f>; // [R, d, parts]
@group(0) @binding(3) var<storage, read_write> forms: array<f32>; // [R, n]

alias State = f32;
fn start() -> f32 { return 0.0; }
fn count(row: u32) -> u32 { return shape.others; }
fn other(row: u32, column: u32, c: u32) -> vec4f { return matrices[(row * shape.others + column) * shape.parts + c]; }
fn join(before: f32, product: f32, vector: u32, column: u32) -> f32 {
  return before + product * vectors[vector * shape.parts + column / 4u][column % 4u];
}
fn merge(a: f32, b: f32) -> f32 { return a + b; }
fn finish(item: u32, vector: u32, state: f32) { forms[item] = state; }
