const FACTOR = vec4f(1.0);

fn four(bits: vec4u, v: u32) -> vec4f { return bitcast<vec4f>(bits); }
