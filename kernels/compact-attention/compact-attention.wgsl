// What flash decoding (gpu/flash-decoding.wgsl) reads where entries are compact (blocks.wgsl). Grid: stretches, KH, rows that attend.
// Scales of keys go into the query, once for a block: codes are multiplied as they are, and no key is ever there in fp32.
struct Shape {
  form: Form,
  kvHeads: u32, rows: u32, firstHead: u32, stretch: u32, firstSplit: u32, splits: u32, window: u32, scale: f32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(7) var<storage, read_write> parts: array<vec4f>; // [R, KH * G, splits, D4 + 1]

var<workgroup> scaled: array<vec4f, G * D4>; // channels of the query times scales
var<workgroup> added: array<f32, G * D4>; // four channels' lows times the query

fn headOf(group: vec3u) -> vec4u { return heads[shape.firstHead + group.y]; }

fn stretchOf(group: vec3u) -> Stretch {
  let begin = group.x * shape.stretch;
  let part = (rows[group.z].x * shape.kvHeads + group.y) * G * shape.splits + shape.firstSplit + group.x;
  return Stretch(begin, min(begin + shape.stretch, headOf(group).z), part, shape.splits);
}

fn scale(group: vec3u, block: u32, t: u32) {
  let quads = (shape.form.width + 3u) / 4u;
  for (var i = t; i < G * quads; i += THREADS) {
    let query = ((group.y * G + i / quads) * shape.rows + rows[group.z].x) * 4u * D4;
    var four = vec4f(0.0);
    var low = 0.0;
    for (var j = 0u; j < 4u; j++) {
      let c = 4u * (i % quads) + j;
      if (c < shape.form.width) {
        let x = queries[query + channelOf(shape.form, shape.firstHead + group.y, c)];
        let affine = affineOf(shape.form, block, c);
        four[j] = x * affine.x;
        low += x * affine.y;
      }
    }
    scaled[i] = four;
    added[i] = low;
  }
}

fn begin(group: vec3u, t: u32) {
  if (shape.form.bits == 0u) { scale(group, 0u, t); }
}

fn locate(group: vec3u, first: u32, count: u32, t: u32) {}

fn prepare(group: vec3u, first: u32, t: u32) {
  if (shape.form.bits > 0u) {
    scale(group, placeOf(shape.form, headOf(group), first).x, t);
    workgroupBarrier();
  }
}

fn products(group: vec3u, first: u32, key: u32, lane: u32) -> array<f32, G> {
  var scores = array<f32, G>();
  let head = headOf(group);
  let quads = (shape.form.width + 3u) / 4u;
  for (var c = lane; c < quads; c += LANES) {
    let four = fourOfKey(shape.form, head, first + key, c);
    for (var g = 0u; g < G; g++) { scores[g] += dot(scaled[g * quads + c], four) + added[g * quads + c]; }
  }
  return scores;
}

fn factor(group: vec3u, first: u32, key: u32) -> f32 { return shape.scale * keyNorm(shape.form, headOf(group), first + key); }

fn isSeen(group: vec3u, first: u32, key: u32) -> bool {
  return shape.window == 0u || places[headOf(group).y + first + key] + shape.window > rows[group.z].y;
}

fn valueOf(group: vec3u, first: u32, key: u32, c: u32) -> vec4f { return compactValue(shape.form, headOf(group), first + key, c); }
