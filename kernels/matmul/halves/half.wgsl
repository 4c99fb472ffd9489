// A tile's numbers in workgroup memory, in half precision. The largest stand for what is larger.
alias Four = vec4<f16>;
fn held(x: vec4f) -> Four { return vec4<f16>(clamp(x, vec4f(-65504.0), vec4f(65504.0))); }
