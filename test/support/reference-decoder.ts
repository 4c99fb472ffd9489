/**
 * The decoder in plain TypeScript loops: what the engines are checked against.
 *
 * Runs a whole sequence at once; `sees` decides, per layer and KV head, which keys a query may attend to besides being causal,
 * so that "evicted" is literally "masked to minus infinity".
 */
import type { Activation, ModelConfig } from "../../src/model/config.ts";
import { inverseFrequencies } from "../../src/model/rope.ts";
import type { Weights } from "../../src/model/weights/weights.ts";

export type Sees = (layer: number, kvHead: number, query: number, key: number) => boolean;

export interface Watched {
  /** How far a key lies before a query, where that is not the difference of their places in the sequence. */
  readonly distance?: (layer: number, kvHead: number, query: number, key: number) => number;
  /** Is told what each query head attends to: the keys it sees, and the weight of each. */
  readonly watch?: (
    layer: number,
    queryHead: number,
    query: number,
    keys: readonly number[],
    weights: readonly number[],
  ) => void;
}

/** Logits of every position: [n][vocab]. */
export function referenceLogits(
  config: ModelConfig,
  weights: Weights,
  tokens: readonly number[],
  sees: Sees = () => true,
  { distance, watch }: Watched = {},
): number[][] {
  const w = (layer: number, part: string) => matrix(weights, `model.layers.${layer}.${part}.weight`);
  const embeddings = matrix(weights, "model.embed_tokens.weight");
  let stream = tokens.map((t) => (embeddings[t] ?? []).map((value) => value * config.embeddingScale));
  for (let layer = 0; layer < config.layers; layer++) {
    const scaleOf = (part: string) => vector(weights, `model.layers.${layer}.${part}.weight`);
    const normed = (rows: readonly number[][], part: string) =>
      rows.map((row) => norm(row, scaleOf(part), config.normEpsilon));
    const x = normed(stream, "input_layernorm");
    const frequencies = inverseFrequencies(config, layer);
    const byHead = (part: "q" | "k" | "v") => {
      const bias = config.attentionBias ? vector(weights, `model.layers.${layer}.self_attn.${part}_proj.bias`) : [];
      const rows = project(x, w(layer, `self_attn.${part}_proj`)).map((row) => row.map((y, c) => y + (bias[c] ?? 0)));
      const split = rows.map((row) => chunks(row, config.headDim));
      return config.queryKeyNorm && part !== "v" ? split.map((row) => normed(row, `self_attn.${part}_norm`)) : split;
    };
    const q = rotated(byHead("q"), frequencies).map((row) => row.map((h) => h.map((y) => y * config.queryScale)));
    const k = rotated(byHead("k"), frequencies);
    const v = byHead("v");
    const mixed = tokens.map((_, i) =>
      Array.from({ length: config.queryHeads }, (_, h) => {
        const kvHead = Math.floor((h * config.kvHeads) / config.queryHeads);
        const window = config.slidingWindow[layer] ?? Number.POSITIVE_INFINITY;
        const apart = (j: number) => distance?.(layer, kvHead, i, j) ?? i - j;
        const keys = tokens.map((_, j) => j).filter((j) => j <= i && apart(j) < window && sees(layer, kvHead, i, j));
        const key = (j: number) => turned(at(k, j, kvHead), frequencies, i - j - apart(j));
        const scores = keys.map((j) => dot(at(q, i, h), key(j)) / Math.sqrt(config.headDim));
        const top = Math.max(...scores);
        const mass = scores.map((s) => Math.exp(s - top));
        const total = mass.reduce((a, b) => a + b, 0);
        watch?.(
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
    const attended = project(mixed, w(layer, "self_attn.o_proj"));
    stream = plus(stream, config.postNorms ? normed(attended, "post_attention_layernorm") : attended);
    const y = normed(stream, config.postNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm");
    const [gate, up] = [project(y, w(layer, "mlp.gate_proj")), project(y, w(layer, "mlp.up_proj"))];
    const gated = gate.map((row, i) => row.map((g, c) => activate[config.activation](g) * (up[i]?.[c] ?? 0)));
    const fed = project(gated, w(layer, "mlp.down_proj"));
    stream = plus(stream, config.postNorms ? normed(fed, "post_feedforward_layernorm") : fed);
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

const activate: Readonly<Record<Activation, (x: number) => number>> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  "gelu-tanh": (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

const chunks = (row: readonly number[], size: number): number[][] =>
  Array.from({ length: row.length / size }, (_, i) => row.slice(i * size, (i + 1) * size));

/** [n][heads][d], each row turned by its position. */
const rotated = (x: readonly number[][][], frequencies: Float64Array): number[][][] =>
  x.map((heads, position) => heads.map((head) => turned(head, frequencies, position)));

/** One head turned by so many positions: halves are paired, as Hugging Face does. */
function turned(head: number[], frequencies: Float64Array, by: number): number[] {
  if (by === 0) return head;
  const half = frequencies.length;
  return head.map((value, c) => {
    const angle = by * (frequencies[c % half] ?? 0);
    const other = c < half ? -(head[c + half] ?? 0) : (head[c - half] ?? 0);
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}
