/** config.json of a Llama-like decoder, as Hugging Face's transformers writes it. */

import { z } from "zod";
import type { Activation } from "../config.ts";
import { parseWith } from "../open-json.ts";
import { type DecoderFacts, everyLayer, limits, only, plain } from "./decoder.ts";
import type { JsonSource } from "./family.ts";
import { ropeFromJson, ropeJson } from "./rope-json.ts";

const upTo = (limit: number) => z.int().positive().max(limit);
const token = z.int().nonnegative();
const tokens = z.union([token, z.array(token).max(1024)]).nullish();

const Decoder = z.object({
  hidden_size: upTo(limits.width),
  intermediate_size: upTo(limits.intermediate),
  num_hidden_layers: upTo(limits.layers),
  num_attention_heads: upTo(limits.heads),
  num_key_value_heads: upTo(limits.heads).nullish(),
  head_dim: upTo(limits.headDim).nullish(),
  vocab_size: upTo(limits.vocab),
  max_position_embeddings: upTo(limits.context),
  rms_norm_eps: z.number().positive().max(1).default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: token.nullish(),
  eos_token_id: tokens,
  hidden_act: z.string().default("silu"),
  hidden_activation: z.string().nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  partial_rotary_factor: z.number().default(1),
  ...ropeJson,
});

const Generation = z.object({ eos_token_id: tokens });

const activations: Readonly<Record<string, Activation>> = { silu: "silu", gelu_pytorch_tanh: "gelu-tanh" };

/**
 * The facts that every such family states alike.
 *
 * @throws KvError `invalid_config` (a field's type or range), `unsupported_architecture` (biases, another activation or RoPE)
 */
export function decoderFromJson({ config, generation, path }: JsonSource, family: string): DecoderFacts {
  const json = parseWith(Decoder, config, "invalid_config", path);
  const later = parseWith(Generation.nullable(), generation, "invalid_config", "generation_config.json");
  const named = json.hidden_activation ?? json.hidden_act;
  only(path, json.hidden_activation ? "hidden_activation" : "hidden_act", named, ...Object.keys(activations));
  only(path, "attention_bias", json.attention_bias, false);
  only(path, "mlp_bias", json.mlp_bias, false);
  only(path, "partial_rotary_factor", json.partial_rotary_factor, 1);
  return {
    ...plain,
    family,
    layers: json.num_hidden_layers,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    queryHeads: json.num_attention_heads,
    kvHeads: json.num_key_value_heads ?? null,
    headDim: json.head_dim ?? null,
    vocabSize: json.vocab_size,
    contextLength: json.max_position_embeddings,
    normEpsilon: json.rms_norm_eps,
    rope: ropeFromJson(json, path),
    tiedEmbeddings: json.tie_word_embeddings,
    slidingWindow: everyLayer(json.num_hidden_layers, null),
    activation: activations[named] ?? "silu",
    bosToken: json.bos_token_id ?? null,
    eosTokens: [...new Set([json.eos_token_id ?? [], later?.eos_token_id ?? []].flat())],
  };
}
