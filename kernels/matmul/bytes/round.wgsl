// Rows of x in bytes: every block of BLOCK vec4s has a scale, by which its largest number is 127. In stretches of 32 columns, zeros behind the
// last; one invocation a block. What W's numbers of 4 bits meet lies so that its even columns stand in one half of a stretch and its odd ones
// in the other, as masks leave them. `input` is written in front.
struct Shape { rows: u32, columns: u32, fours: u32, stretches: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> bytes: array<u32>; // [S, stretches, 8]
// Of every piece: its scale, the sum of its numbers, and that of its bytes.
@group(0) @binding(3) var<storage, read_write> scales: array<vec4u>; // [S, stretches, 8 / PIECE]

fn packed(q: vec4i) -> u32 {
  let low = vec4u(q) & vec4u(255u);
  return low.x | (low.y << 8u) | (low.z << 16u) | (low.w << 24u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let block = (group.y * MOST_GROUPS + group.x) * 64u + t;
  let blocks = shape.stretches * 8u / BLOCK;
  if (block >= shape.rows * blocks) { return; }
  let row = block / blocks;
  let first = block % blocks * BLOCK;
  var largest = 0.0;
  for (var c = first; c < first + BLOCK; c++) {
    let x = abs(input(row, c));
    largest = max(largest, max(max(x.x, x.y), max(x.z, x.w)));
  }
  let scale = largest / 127.0;
  let steps = select(0.0, 1.0 / scale, scale > 0.0);
  for (var piece = first; piece < first + BLOCK; piece += PIECE) {
    var sum = 0.0;
    var whole = 0;
    for (var c = piece; c < piece + PIECE; c += 2u) {
      let a = input(row, c);
      let b = input(row, c + 1u);
      let p = vec4i(round(a * steps));
      let q = vec4i(round(b * steps));
      sum += dot(a, vec4f(1.0)) + dot(b, vec4f(1.0));
      whole += dot(p, vec4i(1)) + dot(q, vec4i(1));
      let at = (row * shape.stretches + c / 8u) * 8u;
      if (NIBBLES) {
        bytes[at + c % 8u / 2u] = packed(vec4i(p.xz, q.xz));
        bytes[at + c % 8u / 2u + 4u] = packed(vec4i(p.yw, q.yw));
      } else {
        bytes[at + c % 8u] = packed(p);
        bytes[at + c % 8u + 1u] = packed(q);
      }
    }
    scales[row * shape.stretches * 8u / PIECE + piece / PIECE] = vec4u(bitcast<u32>(scale), bitcast<u32>(sum), bitcast<u32>(whole), 0u);
  }
}
