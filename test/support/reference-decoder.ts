/**
 * The decoder in plain TypeScript loops: what the engines are checked against.
 *
 * Runs a whole sequence at once; `sees` decides, per layer and KV head, which keys a query may attend to besides being causal,
 * so that "evicted" is literally "masked to minus infinity".
 */
import { inverseFrequencies } from "../../src/engine/onnx/rope.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import type { Weights } from "../../src/model/weights/weights.ts";

export type Sees = (layer: number, kvHead: number, query: number, key: number) => boolean;

/** How far before a query a key stands. */
export type Distance = (layer: number, kvHead: number, query: number, key: number) => number;

/** Is told what each query head attends to: the keys it sees, and the weight of each. */
export type Watch = (
  layer: number,
  queryHead: number,
  query: number,
  keys: readonly number[],
  weights: readonly number[],
) => void;

/** Logits of every position: [n][vocab]. */
export function referenceLogits(
  config: ModelConfig,
  weights: Weights,
  tokens: readonly number[],
  sees: Sees = () => true,
  watch: Watch = () => {},
  distance: Distance | null = null,
): number[][] {
  const w = (layer: number, part: string) => matrix(weights, `model.layers.${layer}.${part}.weight`);
  const embeddings = matrix(weights, "model.embed_tokens.weight");
  let stream = tokens.map((t) => embeddings[t] ?? []);
  const frequencies = inverseFrequencies(config);
  for (let layer = 0; layer < config.layers; layer++) {
    const x = stream.map((row) =>
      norm(row, vector(weights, `model.layers.${layer}.input_layernorm.weight`), config.normEpsilon),
    );
    const q = heads(project(x, w(layer, "self_attn.q_proj")), config.headDim, frequencies);
    const k = heads(project(x, w(layer, "self_attn.k_proj")), config.headDim, frequencies);
    const v = heads(project(x, w(layer, "self_attn.v_proj")), config.headDim, null);
    const mixed = tokens.map((_, i) =>
      Array.from({ length: config.queryHeads }, (_, h) => {
        const kvHead = Math.floor((h * config.kvHeads) / config.queryHeads);
        const window = config.slidingWindow[layer] ?? Number.POSITIVE_INFINITY;
        const keys = tokens.map((_, j) => j).filter((j) => j <= i && j > i - window && sees(layer, kvHead, i, j));
        const turned = (j: number) =>
          rotated(at(k, j, kvHead), distance === null ? 0 : i - j - distance(layer, kvHead, i, j), frequencies);
        const scores = keys.map((j) => dot(at(q, i, h), turned(j)) / Math.sqrt(config.headDim));
        const top = Math.max(...scores);
        const mass = scores.map((s) => Math.exp(s - top));
        const total = mass.reduce((a, b) => a + b, 0);
        watch(
          layer,
          h,
          i,
          keys,
          mass.map((m) => m / total),
        );
        return at(v, i, kvHead).map((_, c) =>
          keys.reduce((sum, j, n) => sum + ((mass[n] ?? 0) / total) * (at(v, j, kvHead)[c] ?? 0), 0),
        );
      }).flat(),
    );
    stream = plus(stream, project(mixed, w(layer, "self_attn.o_proj")));
    const y = stream.map((row) =>
      norm(row, vector(weights, `model.layers.${layer}.post_attention_layernorm.weight`), config.normEpsilon),
    );
    const [gate, up] = [project(y, w(layer, "mlp.gate_proj")), project(y, w(layer, "mlp.up_proj"))];
    const gated = gate.map((row, i) => row.map((g, c) => (g / (1 + Math.exp(-g))) * (up[i]?.[c] ?? 0)));
    stream = plus(stream, project(gated, w(layer, "mlp.down_proj")));
  }
  const last = stream.map((row) => norm(row, vector(weights, "model.norm.weight"), config.normEpsilon));
  return project(last, config.tiedEmbeddings ? embeddings : matrix(weights, "lm_head.weight"));
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
const at = (x: readonly (readonly number[][])[], i: number, h: number): number[] => x[i]?.[h] ?? [];
const project = (x: readonly number[][], m: readonly number[][]) => x.map((row) => m.map((out) => dot(out, row)));
const plus = (a: readonly number[][], b: readonly number[][]) =>
  a.map((row, i) => row.map((x, c) => x + (b[i]?.[c] ?? 0)));
const vector = (weights: Weights, name: string) => [...weights.read(name)];

function matrix(weights: Weights, name: string): number[][] {
  const [rows = 0, columns = 0] = weights.info(name).shape;
  const data = weights.read(name);
  return Array.from({ length: rows }, (_, r) => [...data.subarray(r * columns, (r + 1) * columns)]);
}

function norm(row: readonly number[], scale: readonly number[], epsilon: number): number[] {
  const rms = Math.sqrt(dot(row, row) / row.length + epsilon);
  return row.map((x, i) => (x / rms) * (scale[i] ?? 0));
}

/** [n][heads * d] -> [n][heads][d], rotated by position if frequencies are given (halves paired, as Hugging Face does). */
function heads(x: readonly number[][], d: number, frequencies: Float64Array | null): number[][][] {
  return x.map((row, position) =>
    Array.from({ length: row.length / d }, (_, h) => {
      const part = row.slice(h * d, (h + 1) * d);
      return frequencies === null ? part : rotated(part, position, frequencies);
    }),
  );
}

function rotated(part: number[], by: number, frequencies: Float64Array): number[] {
  if (by === 0) return part;
  const half = part.length / 2;
  return part.map((value, c) => {
    const angle = by * (frequencies[c % half] ?? 0);
    const other = c < half ? -(part[c + half] ?? 0) : (part[c - half] ?? 0);
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}
