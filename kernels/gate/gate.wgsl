// One invocation a number. Both activations stay clear of what overflows, where devices may give anything.
struct Shape { rows: u32, size: u32, gelu: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> joint: array<f32>; // [S, 2 I]
@group(0) @binding(2) var<storage, read_write> gated: array<f32>; // [S, I]

fn silu(x: f32) -> f32 { return x / (1.0 + exp(min(-x, 80.0))); }

// By its tanh approximation, which is 1 in fp32 from 10 on.
fn gelu(x: f32) -> f32 {
  let inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + tanh(clamp(inner, -10.0, 10.0)));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * MOST_GROUPS + group.x) * 256u + t;
  if (i >= shape.rows * shape.size) { return; }
  let at = i / shape.size * 2u * shape.size + i % shape.size;
  let x = joint[at];
  gated[i] = select(silu(x), gelu(x), shape.gelu == 1u) * joint[at + shape.size];
}
