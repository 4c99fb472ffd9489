// The others of a query head are the rows of its part of the output projection.
@group(0) @binding(2) var<storage, read> projection: array<vec4f>; // [hidden, H, parts]
@group(0) @binding(3) var<storage, read_write> norms: array<f32>; // [H, n]

alias State = f32;
fn start() -> f32 { return 0.0; }
fn count(row: u32) -> u32 { return shape.others; }
fn other(row: u32, column: u32, c: u32) -> vec4f { return projection[(column * shape.rows + row) * shape.parts + c]; }
fn join(before: f32, product: f32, vector: u32, column: u32) -> f32 { return before + abs(product); }
fn merge(a: f32, b: f32) -> f32 { return a + b; }
fn finish(item: u32, vector: u32, state: f32) { norms[item] = state; }
