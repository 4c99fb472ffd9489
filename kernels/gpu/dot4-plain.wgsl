// The product of two times four signed bytes, where shaders have no operation for it.
fn bytesOf(word: u32) -> vec4i { return (vec4i(i32(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u); }
fn dot4(a: u32, b: u32) -> i32 { return dot(bytesOf(a), bytesOf(b)); }
