// Scores of one token and the entries of its KV heads: one invocation an entry of a query head. Grid: tiles of entries, H.
struct Shape { group: u32, rows: u32, firstList: u32, first: u32, columns: u32, window: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>; // [H, R, D4]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // [pages, PAGE, D4]
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read> lists: array<vec4u>;
@group(0) @binding(5) var<storage, read> positions: array<u32>; // [pages, PAGE]
@group(0) @binding(6) var<storage, read> rowPositions: array<u32>;
@group(0) @binding(7) var<storage, read_write> scores: array<f32>; // [H, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.y;
  let entry = id.x;
  let list = lists[shape.firstList + head / shape.group];
  if (entry >= list.y + list.w) { return; }
  let i = select(entry, entry - list.y, entry >= list.y);
  let slot = table[select(list.x, list.z, entry >= list.y) + i / PAGE] * PAGE + i % PAGE;
  var score = 0.0;
  for (var c = 0u; c < D4; c++) { score += dot(queries[head * shape.rows * D4 + c], keys[slot * D4 + c]); }
  let isSeen = shape.window == 0u || positions[slot] + shape.window > rowPositions[0];
  scores[head * shape.columns + shape.first + entry] = select(-1e30, score * shape.scale, isSeen);
}
