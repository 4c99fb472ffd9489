@group(0) @binding(8) var<storage, read_write> unturned: array<f32>; // [any, H d], from row unturnedFrom on

fn keepUnturned(to: u32, half: u32, pair: vec2f) {
  unturned[to] = pair.x;
  unturned[to + half] = pair.y;
}
