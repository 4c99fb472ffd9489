// Rows of x in half precision, in whole stretches of 32 columns: zeros follow. The largest numbers stand for what is larger.
struct Shape { rows: u32, columns: u32, fours: u32, eights: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> halves: array<vec4u>; // [S, eights]

fn pairs(x: vec4f) -> vec2u {
  let within = clamp(x, vec4f(-65504.0), vec4f(65504.0));
  return vec2u(pack2x16float(within.xy), pack2x16float(within.zw));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * MOST_GROUPS + group.x) * 64u + t;
  if (i >= shape.rows * shape.eights) { return; }
  let row = i / shape.eights;
  let c = i % shape.eights * 2u;
  halves[i] = vec4u(pairs(input(row, c)), pairs(input(row, c + 1u)));
}
