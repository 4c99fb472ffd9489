/**
 * The decoder that Llama began and others vary: RMSNorm, RoPE, grouped-query attention, a gated feed-forward network.
 *
 * Families read their files into `DecoderFacts`; here the facts are checked against each other and become a ModelConfig.
 */

import { KvError } from "../../error.ts";
import type { ModelConfig } from "../config.ts";
import type { ExpectedTensor } from "./family.ts";

/** A ModelConfig before its defaults; `headDim` and `kvHeads` may be left to the others. */
export interface DecoderFacts extends Omit<ModelConfig, "headDim" | "kvHeads"> {
  readonly headDim: number | null;
  readonly kvHeads: number | null;
}

/** What a network has where its family does not say otherwise: nothing beyond Llama's. */
export const plain = {
  slidingRope: null,
  embeddingScale: 1,
  attentionBias: false,
  queryKeyNorm: false,
  queryScale: 1,
  postNorms: false,
} as const;

/** Far above any model there is, and low enough that no product of two overflows an array. */
export const limits = {
  layers: 1024,
  width: 1 << 17,
  intermediate: 1 << 20,
  heads: 1024,
  headDim: 2048,
  vocab: 1 << 22,
  context: 1 << 27,
  ropeBase: 1e12,
} as const;

/** The same sliding window, or none, in every layer. */
export const everyLayer = (layers: number, window: number | null): readonly (number | null)[] =>
  new Array<number | null>(layers).fill(window);

/**
 * Makes sure that a file says what the networks here do.
 *
 * @throws KvError `unsupported_architecture`
 */
export function only<T>(path: string, field: string, found: T, ...allowed: readonly T[]): void {
  if (allowed.includes(found)) return;
  throw new KvError({ code: "unsupported_architecture", path: [path, field], found, allowed: allowed.join(" or ") });
}

/** @throws KvError `invalid_config` where facts contradict each other */
export function decoderConfig(facts: DecoderFacts, path: string): ModelConfig {
  const { queryHeads, hiddenSize } = facts;
  const kvHeads = facts.kvHeads ?? queryHeads;
  const headDim = facts.headDim ?? hiddenSize / queryHeads;
  const check = (ok: boolean, name: string, found: unknown, allowed: string): void => {
    if (!ok) throw new KvError({ code: "invalid_config", path: [path, name], found, allowed });
  };
  check(queryHeads % kvHeads === 0, "KV heads", kvHeads, `a divisor of the ${queryHeads} query heads`);
  check(headDim % 2 === 0, "head size", headDim, "an even integer, because RoPE turns pairs");
  const width = queryHeads * headDim;
  check(width <= limits.width, "heads × head size", width, `at most ${limits.width}`);
  return { ...facts, kvHeads, headDim };
}

/** The tensors of the decoder: names and shapes as in Hugging Face's files. */
export function decoderTensors(config: ModelConfig): readonly ExpectedTensor[] {
  const { hiddenSize, vocabSize, layers, tiedEmbeddings } = config;
  const inLayer = layerTensors(config);
  return [
    { name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize] },
    ...Array.from({ length: layers }, (_, layer) =>
      inLayer.map(({ name, shape }) => ({ name: `model.layers.${layer}.${name}`, shape })),
    ).flat(),
    { name: "model.norm.weight", shape: [hiddenSize] },
    ...(tiedEmbeddings ? [] : [{ name: "lm_head.weight", shape: [vocabSize, hiddenSize] }]),
  ];
}

function layerTensors(config: ModelConfig): readonly ExpectedTensor[] {
  const { hiddenSize, intermediateSize, headDim, attentionBias, queryKeyNorm, postNorms } = config;
  const [queryWidth, kvWidth] = [config.queryHeads * headDim, config.kvHeads * headDim];
  const tensors = (kind: string, shapes: Readonly<Record<string, readonly number[]>>): readonly ExpectedTensor[] =>
    Object.entries(shapes).map(([part, shape]) => ({ name: `${part}.${kind}`, shape }));
  const biases = { "self_attn.q_proj": [queryWidth], "self_attn.k_proj": [kvWidth], "self_attn.v_proj": [kvWidth] };
  return [
    ...tensors("weight", {
      input_layernorm: [hiddenSize],
      "self_attn.q_proj": [queryWidth, hiddenSize],
      "self_attn.k_proj": [kvWidth, hiddenSize],
      "self_attn.v_proj": [kvWidth, hiddenSize],
      "self_attn.o_proj": [hiddenSize, queryWidth],
      post_attention_layernorm: [hiddenSize],
      "mlp.gate_proj": [intermediateSize, hiddenSize],
      "mlp.up_proj": [intermediateSize, hiddenSize],
      "mlp.down_proj": [hiddenSize, intermediateSize],
      ...(queryKeyNorm ? { "self_attn.q_norm": [headDim], "self_attn.k_norm": [headDim] } : {}),
      ...(postNorms ? { pre_feedforward_layernorm: [hiddenSize], post_feedforward_layernorm: [hiddenSize] } : {}),
    }),
    ...(attentionBias ? tensors("bias", biases) : []),
  ];
}
