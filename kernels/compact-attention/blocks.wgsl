// Compact entries as they are stored (index.ts), four numbers at a time. Constants: D4 vec4s of a head, BLOCK.
struct Form {
  bits: u32, width: u32, group: u32, keyCodes: u32,
  keyFloats: u32, valueNorms: u32, keyNorms: u32, channels: u32,
}

@group(0) @binding(1) var<storage, read> queries: array<f32>; // [H, R, D4 * 4]
@group(0) @binding(2) var<storage, read> codes: array<u32>;
@group(0) @binding(3) var<storage, read> floats: array<vec4f>;
@group(0) @binding(4) var<storage, read> places: array<u32>;
@group(0) @binding(5) var<storage, read> heads: array<vec4u>; // [L, KH]: first block, first entry, count
@group(0) @binding(6) var<storage, read> rows: array<vec2u>; // row, position

fn floatAt(i: u32) -> f32 { return floats[i / 4u][i % 4u]; }

// From any place: rows of a part of a head's channels may begin between vec4s, and between words.
fn floatsAt(i: u32) -> vec4f {
  let first = floats[i / 4u];
  let next = floats[(i + 3u) / 4u];
  switch i % 4u {
    case 1u: { return vec4f(first.yzw, next.x); }
    case 2u: { return vec4f(first.zw, next.xy); }
    case 3u: { return vec4f(first.w, next.xyz); }
    default: { return first; }
  }
}

fn bytesAt(i: u32) -> u32 {
  let shift = 8u * (i % 4u);
  return (codes[i / 4u] >> shift) | select(codes[i / 4u + 1u] << (32u - shift), 0u, shift == 0u);
}

// A head's i-th entry: its block, and which token of it.
fn placeOf(form: Form, head: vec4u, i: u32) -> vec2u {
  return select(vec2u(head.x + i / BLOCK, i % BLOCK), vec2u(head.x + i, 0u), form.bits == 0u);
}

// Four codes of a token, or numbers in fp32, of rows of so many from the side's first code and float on.
fn fourOf(form: Form, place: vec2u, firstCode: u32, firstFloat: u32, width: u32, c: u32) -> vec4f {
  if (form.bits == 0u) { return floatsAt(firstFloat + place.x * width + 4u * c); }
  let lines = 4u * form.bits; // of bytes in a block: a line has codes of every `lines`th token
  let bytes = bytesAt(firstCode + (place.x * lines + place.y % lines) * width + 4u * c);
  let shift = place.y / lines * form.bits;
  return vec4f((vec4u(bytes) >> (vec4u(0u, 8u, 16u, 24u) + shift)) & vec4u((1u << form.bits) - 1u));
}

fn fourOfKey(form: Form, head: vec4u, i: u32, c: u32) -> vec4f {
  return fourOf(form, placeOf(form, head, i), form.keyCodes, form.keyFloats, form.width, c);
}

// What a code of a key's channel is times, and what is added.
fn affineOf(form: Form, block: u32, channel: u32) -> vec2f {
  if (form.bits == 0u) { return vec2f(1.0, 0.0); }
  let at = form.keyFloats + block * 2u * form.width + channel;
  return vec2f(floatAt(at), floatAt(at + form.width));
}

fn channelOf(form: Form, head: u32, i: u32) -> u32 {
  if (form.channels == 0u) { return i; }
  return places[form.channels + head * form.width + i];
}

fn keyNorm(form: Form, head: vec4u, i: u32) -> f32 {
  if (form.keyNorms == 0u) { return 1.0; }
  return floatAt(form.keyNorms + head.y + i);
}

fn compactValue(form: Form, head: vec4u, i: u32, c: u32) -> vec4f {
  let place = placeOf(form, head, i);
  var value = fourOf(form, place, 0u, 0u, 4u * D4, c);
  if (form.bits > 0u) {
    let groups = 4u * D4 / form.group;
    let at = (place.x * 2u * BLOCK + place.y) * groups + 4u * c / form.group;
    value = fma(value, vec4f(floatAt(at)), vec4f(floatAt(at + BLOCK * groups)));
  }
  if (form.valueNorms > 0u) { value *= floatAt(form.valueNorms + head.y + i); }
  return value;
}
