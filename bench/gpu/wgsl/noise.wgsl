// Random numbers in [-1, 1): processors spend less on zeros, and caches may hold them in less.
struct Shape { seed: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> numbers: array<vec4f>;

fn mixed(value: vec4u) -> vec4u {
  var bits = value * 0x9e3779b9u + shape.seed;
  bits = (bits ^ (bits >> vec4u(16u))) * 0x85ebca6bu;
  bits = (bits ^ (bits >> vec4u(13u))) * 0xc2b2ae35u;
  return bits ^ (bits >> vec4u(16u));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * MOST_GROUPS + group.x) * 256u + t;
  if (i >= arrayLength(&numbers)) { return; }
  numbers[i] = vec4f(mixed(vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u))) / 2147483648.0 - 1.0;
}
