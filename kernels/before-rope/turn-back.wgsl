// Pairs of channels (i, i + half) turned back by their position. One invocation a pair, so that neighbours read neighbours of both halves.
struct Shape { pairs: u32, half: u32, places: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> keys: array<f32>; // [rows, 2 half]
@group(0) @binding(2) var<storage, read> cosines: array<f32>; // [places, half]; rows beyond begin again
@group(0) @binding(3) var<storage, read> sines: array<f32>;
@group(0) @binding(4) var<storage, read_write> before: array<f32>; // [rows, 2 half]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let pair = (group.y * MOST_GROUPS + group.x) * 64u + t;
  if (pair >= shape.pairs) { return; }
  let row = pair / shape.half;
  let i = pair % shape.half;
  let first = row * 2u * shape.half + i;
  let place = row % shape.places * shape.half + i;
  let a = keys[first];
  let b = keys[first + shape.half];
  before[first] = a * cosines[place] - b * sines[place];
  before[first + shape.half] = b * cosines[place] + a * sines[place];
}
