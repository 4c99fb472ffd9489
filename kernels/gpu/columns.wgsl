// Attention of a head's queries to each key, reduced over the queries by `join`, which is written in front. Grid: tiles of 64 keys, H.
@group(0) @binding(3) var<storage, read> divisors: array<f32>; // [H, s]
@group(0) @binding(4) var<storage, read_write> columns: array<f32>; // [H, columns]

@compute @workgroup_size(KEYS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = group.y;
  let key = group.x * KEYS + t;
  var column = 0.0;
  let range = looking(group.x * KEYS);
  for (var first = range.x; first < range.y; first += ROWS) {
    workgroupBarrier();
    stageRows(head, first, t);
    let scores = scoresOf(head / shape.group, group.x * KEYS, t);
    for (var r = 0u; r < min(ROWS, shape.queries - first); r++) {
      let visible = seen(first + r);
      if (key < visible.x || key >= visible.y) { continue; }
      let attention = exp(scores[r] - divisors[head * shape.queries + first + r]);
      column = join(column, attention, f32(visible.y - visible.x));
    }
  }
  if (key < shape.columns) { columns[head * shape.columns + key] = column; }
}
