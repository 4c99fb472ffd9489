// What flash decoding (gpu/flash-decoding.wgsl) reads where entries lie in pages. Grid: stretches, KH, rows.
struct Shape { kvHeads: u32, rows: u32, firstList: u32, stretch: u32, splits: u32, window: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>; // [KH * G, R, D4]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // [pages, PAGE, D4]
@group(0) @binding(3) var<storage, read> values: array<vec4f>;
@group(0) @binding(4) var<storage, read> table: array<u32>;
@group(0) @binding(5) var<storage, read> lists: array<vec4u>; // from firstList on [R, KH]: first page and count of what was kept, and of what came after
@group(0) @binding(6) var<storage, read> positions: array<u32>; // [pages, PAGE]
@group(0) @binding(7) var<storage, read> rowPositions: array<u32>; // [R]
@group(0) @binding(8) var<storage, read_write> parts: array<vec4f>; // [R, KH * G, splits, D4 + 1]

var<workgroup> query: array<vec4f, G * D4>;
var<workgroup> slots: array<u32, ENTRIES>;

fn listOf(group: vec3u) -> vec4u { return lists[shape.firstList + group.z * shape.kvHeads + group.y]; }

fn stretchOf(group: vec3u) -> Stretch {
  let list = listOf(group);
  let begin = group.x * shape.stretch;
  let part = (group.z * shape.kvHeads + group.y) * G * shape.splits + group.x;
  return Stretch(begin, min(begin + shape.stretch, list.y + list.w), part, shape.splits);
}

fn begin(group: vec3u, t: u32) {
  for (var i = t; i < G * D4; i += THREADS) { query[i] = queries[((group.y * G + i / D4) * shape.rows + group.z) * D4 + i % D4]; }
}

fn locate(group: vec3u, first: u32, count: u32, t: u32) {
  if (t >= count) { return; }
  let list = listOf(group);
  let entry = first + t;
  let i = select(entry, entry - list.y, entry >= list.y);
  slots[t] = table[select(list.x, list.z, entry >= list.y) + i / PAGE] * PAGE + i % PAGE;
}

fn prepare(group: vec3u, first: u32, t: u32) {}

fn products(group: vec3u, first: u32, key: u32, lane: u32) -> array<f32, G> {
  var scores = array<f32, G>();
  let at = slots[key] * D4;
  for (var c = lane; c < D4; c += LANES) {
    let channels = keys[at + c];
    for (var g = 0u; g < G; g++) { scores[g] += dot(query[g * D4 + c], channels); }
  }
  return scores;
}

fn factor(group: vec3u, first: u32, key: u32) -> f32 { return shape.scale; }

fn isSeen(group: vec3u, first: u32, key: u32) -> bool {
  return shape.window == 0u || positions[slots[key]] + shape.window > rowPositions[group.z];
}

fn valueOf(group: vec3u, first: u32, key: u32, c: u32) -> vec4f { return values[slots[key] * D4 + c]; }
