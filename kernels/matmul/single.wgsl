// A tile's numbers in workgroup memory, in single precision.
alias Four = vec4f;
fn held(x: vec4f) -> Four { return x; }
