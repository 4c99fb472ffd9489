// activation(gate) * up, in place of up.
struct Shape { count: u32, gelu: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> gate: array<f32>;
@group(0) @binding(2) var<storage, read_write> up: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * GROUPS + group.x) * 64u + t;
  if (i >= shape.count) { return; }
  let x = gate[i];
  // Written with e^-x so that nothing overflows into infinity over infinity.
  let inner = select(x, 1.5957691216 * (x + 0.044715 * x * x * x), shape.gelu > 0u);
  up[i] = x / (1.0 + exp(-inner)) * up[i];
}
