// Scores of the first row and the compact entries of its KV heads: one invocation an entry of a query head. Grid: tiles of entries, H.
struct Shape { form: Form, group: u32, rows: u32, firstHead: u32, columns: u32, window: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(7) var<storage, read_write> scores: array<f32>; // [H, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let kvHead = shape.firstHead + id.y / shape.group;
  let head = heads[kvHead];
  if (id.x >= head.z) { return; }
  let query = (id.y * shape.rows + rows[0].x) * 4u * D4;
  let block = placeOf(shape.form, head, id.x).x;
  var score = 0.0;
  for (var c = 0u; c < shape.form.width; c++) {
    let affine = affineOf(shape.form, block, c);
    let key = fourOfKey(shape.form, head, id.x, c / 4u)[c % 4u] * affine.x + affine.y;
    score += queries[query + channelOf(shape.form, kvHead, c)] * key;
  }
  let isSeen = shape.window == 0u || places[head.y + id.x] + shape.window > rows[0].y;
  scores[id.y * shape.columns + id.x] = select(-1e30, score * shape.scale * keyNorm(shape.form, head, id.x), isSeen);
}
