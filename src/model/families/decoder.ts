/**
 * The decoder that Llama began and others vary: RMSNorm, RoPE, grouped-query attention, SwiGLU, no biases.
 *
 * Families read their files into `DecoderFacts`; here the facts are checked against each other and become a ModelConfig.
 */

import { KvError } from "../../error.ts";
import type { ModelConfig } from "../config.ts";
import type { ExpectedTensor } from "./family.ts";

/** A ModelConfig before its defaults; `headDim` and `kvHeads` may be left to the others. */
export interface DecoderFacts extends Omit<ModelConfig, "headDim" | "kvHeads" | "slidingWindow"> {
  readonly headDim: number | null;
  readonly kvHeads: number | null;
  /** The same in every layer. */
  readonly slidingWindow: number | null;
}

/** Far above any model there is, and low enough that no product of two overflows an array. */
export const limits = {
  layers: 1024,
  width: 1 << 17,
  intermediate: 1 << 20,
  heads: 1024,
  headDim: 2048,
  vocab: 1 << 22,
  context: 1 << 27,
} as const;

/** @throws KvError `invalid_config` where facts contradict each other */
export function decoderConfig(facts: DecoderFacts, path: string): ModelConfig {
  const { queryHeads, hiddenSize, layers } = facts;
  const kvHeads = facts.kvHeads ?? queryHeads;
  const headDim = facts.headDim ?? hiddenSize / queryHeads;
  const check = (ok: boolean, name: string, found: unknown, allowed: string): void => {
    if (!ok) throw new KvError({ code: "invalid_config", path: [path, name], found, allowed });
  };
  check(queryHeads % kvHeads === 0, "KV heads", kvHeads, `a divisor of the ${queryHeads} query heads`);
  check(headDim % 2 === 0, "head size", headDim, "an even integer, because RoPE turns pairs");
  const width = queryHeads * headDim;
  check(width <= limits.width, "heads × head size", width, `at most ${limits.width}`);
  return { ...facts, kvHeads, headDim, slidingWindow: new Array(layers).fill(facts.slidingWindow) };
}

/** The tensors of the decoder: names and shapes as in Hugging Face's files. */
export function decoderTensors(config: ModelConfig): readonly ExpectedTensor[] {
  const { hiddenSize, intermediateSize, vocabSize, layers, tiedEmbeddings } = config;
  const queryWidth = config.queryHeads * config.headDim;
  const kvWidth = config.kvHeads * config.headDim;
  const inLayer: readonly ExpectedTensor[] = [
    { name: "input_layernorm", shape: [hiddenSize] },
    { name: "self_attn.q_proj", shape: [queryWidth, hiddenSize] },
    { name: "self_attn.k_proj", shape: [kvWidth, hiddenSize] },
    { name: "self_attn.v_proj", shape: [kvWidth, hiddenSize] },
    { name: "self_attn.o_proj", shape: [hiddenSize, queryWidth] },
    { name: "post_attention_layernorm", shape: [hiddenSize] },
    { name: "mlp.gate_proj", shape: [intermediateSize, hiddenSize] },
    { name: "mlp.up_proj", shape: [intermediateSize, hiddenSize] },
    { name: "mlp.down_proj", shape: [hiddenSize, intermediateSize] },
  ];
  return [
    { name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize] },
    ...Array.from({ length: layers }, (_, layer) =>
      inLayer.map(({ name, shape }) => ({ name: `model.layers.${layer}.${name}.weight`, shape })),
    ).flat(),
    { name: "model.norm.weight", shape: [hiddenSize] },
    ...(tiedEmbeddings ? [] : [{ name: "lm_head.weight", shape: [vocabSize, hiddenSize] }]),
  ];
}
