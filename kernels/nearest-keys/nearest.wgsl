// The others of a head are those of its keys that are listed, at length 1. Of equals the first stays.
@group(0) @binding(2) var<storage, read> inverse: array<f32>; // [KH, n], what keys are multiplied with to have the length 1
@group(0) @binding(3) var<storage, read> listed: array<u32>; // rows of [KH * n], all lists
@group(0) @binding(4) var<storage, read> offsets: array<u32>; // [KH + 1], where each head's list begins
@group(0) @binding(5) var<storage, read_write> places: array<u32>; // [KH, n]
@group(0) @binding(6) var<storage, read_write> cosines: array<f32>; // [KH, n]

struct State { score: f32, place: u32 }
fn start() -> State { return State(-3.4e38, 0xffffffffu); }
fn count(row: u32) -> u32 { return offsets[row + 1u] - offsets[row]; }
fn other(row: u32, column: u32, c: u32) -> vec4f {
  let key = listed[offsets[row] + column];
  return inverse[key] * vectors[key * shape.parts + c];
}
fn join(before: State, product: f32, vector: u32, column: u32) -> State { return merge(before, State(product, column)); }
fn merge(a: State, b: State) -> State {
  let second = b.score > a.score || (b.score == a.score && b.place < a.place);
  return State(select(a.score, b.score, second), select(a.place, b.place, second));
}
fn finish(item: u32, vector: u32, state: State) {
  places[item] = state.place;
  cosines[item] = state.score * inverse[vector];
}
