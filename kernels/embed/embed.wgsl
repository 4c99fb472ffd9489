// Four columns of a token's row an invocation. Only tokens of this part of the table are written: each has a part of its own.
struct Shape { rows: u32, columns: u32, fours: u32, units: u32, first: u32, part: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> tokens: array<u32>; // [S]
@group(0) @binding(2) var<storage, read_write> embedded: array<f32>; // [S, D]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * MOST_GROUPS + group.x) * 64u + t;
  if (i >= shape.rows * shape.fours) { return; }
  let s = i / shape.fours;
  let c = i % shape.fours;
  let token = tokens[s];
  if (token < shape.first || token >= shape.first + shape.part) { return; }
  let row = token - shape.first;
  let scale = scaleOf(row * (shape.fours / BLOCK) + c / BLOCK);
  let numbers = four(values[row * shape.units + c / FOURS], c % FOURS) * FACTOR * scale.x + scale.y;
  for (var j = 0u; j < min(4u, shape.columns - 4u * c); j++) {
    embedded[s * shape.columns + 4u * c + j] = numbers[j] * shape.scale;
  }
}
