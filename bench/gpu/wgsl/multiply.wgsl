// Nothing but multiplying and adding, in registers: what no product of matrices on the same units can exceed. Each round has 64 numbers added
// to, in four tiles of 4 x 4 as a tiled product has them; T is the type of a number.
@group(0) @binding(1) var<storage, read> given: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

alias Four = vec4<T>;
alias Tile = mat4x4<T>;

fn outer(tile: Tile, a: Four, b: Four) -> Tile {
  return Tile(fma(Four(a.x), b, tile[0]), fma(Four(a.y), b, tile[1]), fma(Four(a.z), b, tile[2]), fma(Four(a.w), b, tile[3]));
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = Four(given[2u * (id.x % 64u)]);
  let b = Four(given[2u * (id.x % 64u) + 1u]);
  var upperLeft = Tile();
  var upperRight = Tile();
  var lowerLeft = Tile();
  var lowerRight = Tile();
  for (var i = 0u; i < ROUNDS; i++) {
    upperLeft = outer(upperLeft, a, b);
    upperRight = outer(upperRight, a, b.yzwx);
    lowerLeft = outer(lowerLeft, b, a);
    lowerRight = outer(lowerRight, b, a.yzwx);
  }
  let all = upperLeft + upperRight + lowerLeft + lowerRight;
  sums[id.x] = vec4f(all[0] + all[1] + all[2] + all[3]);
}
