// The simplest work that moves memory: every invocation takes 16 bytes over.
@group(0) @binding(1) var<storage, read> given: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> taken: array<vec4u>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * MOST_GROUPS + group.x) * 256u + t;
  if (i < arrayLength(&given)) { taken[i] = given[i]; }
}
