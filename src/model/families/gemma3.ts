/**
 * Gemma 3 (text): five layers with a sliding window and RoPE of their own to each with full attention, norms on all sides,
 * queries and keys normalised, GELU, scaled embeddings.
 *
 * config.json's files hold norms less one, GGUF's whole.
 *
 * @see https://arxiv.org/abs/2503.19786
 */

import type { ModelConfig } from "../config.ts";
import { plusOne } from "../weights/plus-one.ts";
import { type DecoderFacts, decoderConfig, decoderTensors } from "./decoder.ts";
import { decoderFromGguf } from "./decoder-gguf.ts";
import { decoderFromJson } from "./decoder-json.ts";
import type { Family } from "./family.ts";
import { gemmaFromGguf } from "./gemma3-gguf.ts";
import { type GemmaFacts, gemmaFromJson } from "./gemma3-json.ts";

export const gemma3: Family = {
  name: "gemma3",
  architectures: ["Gemma3ForCausalLM"],
  modelType: "gemma3_text",
  ggufArchitecture: "gemma3",
  fromJson: (source) => gemma(decoderFromJson(source, "gemma3"), gemmaFromJson(source), source.path),
  fromGguf: (source) => gemma(decoderFromGguf(source, "gemma3"), gemmaFromGguf(source), source.path),
  tensors: decoderTensors,
  stored: (weights, _, format) =>
    format === "safetensors" ? plusOne(weights, (name) => name.endsWith("norm.weight")) : weights,
};

function gemma(facts: DecoderFacts, { attentionSize, ...own }: GemmaFacts, path: string): ModelConfig {
  return decoderConfig(
    {
      ...facts,
      ...own,
      embeddingScale: Math.sqrt(facts.hiddenSize),
      queryKeyNorm: true,
      queryScale: Math.sqrt(own.headDim / attentionSize),
      postNorms: true,
      activation: "gelu-tanh",
    },
    path,
  );
}
