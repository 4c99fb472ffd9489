// The product for many rows of x: a workgroup makes a tile of 64 x 64 from stretches of 16 columns that stand in workgroup memory, 8 x 8 of it
// in the registers of each invocation. Grid: tiles of W's rows, of x's. `Four`, what stands there, and `held` are written in front.
// Each column, an invocation reads 4 vec4s for 64 multiplications, a sixteenth of a read each. Of 32 invocations those of `left` are 4
// neighbours and those of `right` 8, one or two rows of banks: 8 rows for 16 turns of an NVIDIA multiprocessor's multipliers, which so never
// wait. From memory come 64 + 64 numbers for 4096 multiplications: 16 operations a byte, where its cache wants 12 at most.
const SIDE = 16u; // vec4s along a side of the tile
// Transposed, [column, rows in vec4s]; one more vec4 spreads what is written over the memory's banks.
const STRIDE = SIDE + 1u;
var<workgroup> left: array<Four, 16u * STRIDE>;
var<workgroup> right: array<Four, 16u * STRIDE>;

// Columns 4c to 4c + 3 of four rows of x, each column a vec4; the last row again beyond it.
fn inputsAt(row: u32, c: u32) -> mat4x4f {
  let last = shape.rows - 1u;
  let rows = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(last));
  return transpose(mat4x4f(input(rows.x, c), input(rows.y, c), input(rows.z, c), input(rows.w, c)));
}

fn weight(row: u32, c: u32) -> vec4f {
  let own = min(row, shape.part - 1u);
  let scale = scaleAt(own, c);
  return four(values[own * shape.units + c / FOURS], c % FOURS) * FACTOR * scale.x + scale.y;
}

// The same of W; anything beyond the last column, where x has zeros.
fn weightsAt(row: u32, c: u32) -> mat4x4f {
  return transpose(mat4x4f(weight(row, c), weight(row + 1u, c), weight(row + 2u, c), weight(row + 3u, c)));
}

fn outer(sums: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(fma(vec4f(a.x), b, sums[0]), fma(vec4f(a.y), b, sums[1]), fma(vec4f(a.z), b, sums[2]), fma(vec4f(a.w), b, sums[3]));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstOutput = group.x * 4u * SIDE;
  let firstRow = group.y * 4u * SIDE;
  let staged = t / 4u; // which four rows this invocation brings, and which four columns
  let c = t % 4u;
  let down = t / 8u; // where in the tile its results are, and 32 rows or columns on
  let across = t % 8u;
  var a = inputsAt(firstRow + 4u * staged, c);
  var b = weightsAt(firstOutput + 4u * staged, c);
  var upperLeft = mat4x4f();
  var upperRight = mat4x4f();
  var lowerLeft = mat4x4f();
  var lowerRight = mat4x4f();
  for (var depth = 0u; depth < shape.fours; depth += 4u) {
    workgroupBarrier();
    let at = 4u * c * STRIDE + staged;
    left[at] = held(a[0]); left[at + STRIDE] = held(a[1]); left[at + 2u * STRIDE] = held(a[2]); left[at + 3u * STRIDE] = held(a[3]);
    right[at] = held(b[0]); right[at + STRIDE] = held(b[1]); right[at + 2u * STRIDE] = held(b[2]); right[at + 3u * STRIDE] = held(b[3]);
    workgroupBarrier();
    // The next stretch is on its way while this one is multiplied.
    if (depth + 4u < shape.fours) {
      a = inputsAt(firstRow + 4u * staged, depth + 4u + c);
      b = weightsAt(firstOutput + 4u * staged, depth + 4u + c);
    }
    for (var k = 0u; k < 16u * STRIDE; k += STRIDE) {
      let upper = vec4f(left[k + down]);
      let lower = vec4f(left[k + down + 8u]);
      let west = vec4f(right[k + across]);
      let east = vec4f(right[k + across + 8u]);
      upperLeft = outer(upperLeft, upper, west);
      upperRight = outer(upperRight, upper, east);
      lowerLeft = outer(lowerLeft, lower, west);
      lowerRight = outer(lowerRight, lower, east);
    }
  }
  // In loops, because code for 64 numbers takes long to compile, and the time to write them is nothing.
  let quarters = array<mat4x4f, 4>(upperLeft, upperRight, lowerLeft, lowerRight);
  for (var i = 0u; i < 16u; i++) {
    let row = firstRow + 4u * down + 32u * (i / 8u) + i % 4u;
    let output = firstOutput + 4u * across + 32u * (i / 4u % 2u);
    let products = quarters[i / 4u][i % 4u];
    for (var j = 0u; j < 4u; j++) { put(row, output + j, products[j]); }
  }
}
