// What both shapes of the product share. `part` is of rows of W, the first of which is column `first` of out.
struct Shape { rows: u32, columns: u32, fours: u32, units: u32, first: u32, part: u32, width: u32, bias: u32, add: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> bias: array<f32>; // [N], or anything
@group(0) @binding(3) var<storage, read_write> result: array<f32>; // [S, N]

// Scale and offset of the block that columns 4c to 4c + 3 of a row are in.
fn scaleAt(row: u32, c: u32) -> vec2f { return scaleOf(row * (shape.fours / BLOCK) + c / BLOCK); }

// Writes what one row of the part makes of a row of x.
fn put(row: u32, output: u32, product: f32) {
  if (row >= shape.rows || output >= shape.part) { return; }
  let at = row * shape.width + shape.first + output;
  var value = product;
  if (shape.bias == 1u) { value += bias[shape.first + output]; }
  if (shape.add == 1u) { value += result[at]; }
  result[at] = value;
}
