/** A device whose matrix units are loops of single invocations, which SwiftShader can run: what a tile reads and writes is the same. */
import type { Gpu, Source } from "../../../src/gpu/index.ts";

const SIDE = 8;

export const oneLane = (gpu: Gpu): Gpu => ({
  ...gpu,
  features: { ...gpu.features, f16: true, matrices: { M: SIDE, N: SIDE, K: SIDE, lanes: 1 } },
  program: (source) =>
    gpu.program(source.enables?.includes("chromium_experimental_subgroup_matrix") ? inLoops(source) : source),
});

const WORDS: Readonly<Record<string, string>> = {
  "subgroup_matrix_left<f16, K, M>": "array<vec4f, M * K / 4u>",
  "subgroup_matrix_right<f16, N, K>": "array<vec4f, N * K / 4u>",
  "subgroup_matrix_result<f32, N, M>": "array<f32, N * M>",
  "@diagnostic(off, chromium.subgroup_matrix_uniformity)": "",
  "subgroupMatrixLoad<Right, col_major>(&right, ": "loadRight(",
  "subgroupMatrixLoad<Left, row_major>(&left, ": "loadLeft(",
  "subgroupMatrixStore<row_major>(&left, ": "store(",
  "sums[i][j] = subgroupMatrixMultiplyAccumulate(a, b[j], sums[i][j])": "multiply(&a, &b[j], &sums[i][j])",
  "let a = ": "var a = ",
  "subgroup * EACH, sums[i][j], ": "subgroup * EACH, &sums[i][j], ",
};

function inLoops(source: Source): Source {
  const code = Object.entries(WORDS).reduce((text, [word, other]) => text.replaceAll(word, other), source.code);
  return { ...source, code: `${code}\n${LOOPS}`, enables: [] };
}

/** Offsets and strides count vec4s, of eight halves, a row, or of four results. */
const LOOPS = `
fn half(word: vec4u, i: u32) -> vec4f {
  return vec4f(unpack2x16float(word[2u * i]), unpack2x16float(word[2u * i + 1u]));
}
fn loadLeft(offset: u32, stride: u32) -> Left {
  var read: Left;
  for (var i = 0u; i < 16u; i++) { read[i] = half(left[offset + i / 2u * stride], i % 2u); }
  return read;
}
fn loadRight(offset: u32, stride: u32) -> Right {
  var read: Right;
  for (var i = 0u; i < 16u; i++) { read[i] = half(right[offset + i / 2u * stride], i % 2u); }
  return read;
}
fn multiply(a: ptr<function, Left>, b: ptr<function, Right>, sums: ptr<function, Sums>) {
  for (var i = 0u; i < 8u; i++) {
    for (var j = 0u; j < 8u; j++) { sums[8u * i + j] += dot(a[2u * i], b[2u * j]) + dot(a[2u * i + 1u], b[2u * j + 1u]); }
  }
}
fn store(offset: u32, sums: ptr<function, Sums>, stride: u32) {
  for (var i = 0u; i < 64u; i++) { left[offset + i / 8u * stride + i % 8u / 4u][i % 4u] = bitcast<u32>(sums[i]); }
}`;
