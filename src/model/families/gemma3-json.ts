/** What config.json says of a Gemma 3 beyond what it says of every decoder; defaults as in transformers. */

import { z } from "zod";
import type { ModelConfig, Rope } from "../config.ts";
import { parseWith } from "../open-json.ts";
import { limits, only } from "./decoder.ts";
import type { JsonSource } from "./family.ts";
import { ropeFromJson, ropeJson } from "./rope-json.ts";
import { windowsFromJson } from "./sliding-json.ts";

const FULL_BASE = 1e6;
const SLIDING_BASE = 10_000;
const ropeBase = z.number().positive().max(limits.ropeBase);
const period = z.int().positive().nullish();

/** Both kinds of layer in one; older files have only that of full layers there, and `rope_local_base_freq` beside it. */
const Both = z.object({ full_attention: ropeJson.rope_parameters, sliding_attention: ropeJson.rope_parameters });

const Gemma = z.object({
  num_hidden_layers: z.int().positive().max(limits.layers),
  head_dim: z.int().positive().max(limits.headDim).default(256),
  query_pre_attn_scalar: z.number().positive().default(256),
  tie_word_embeddings: z.boolean().default(true),
  sliding_window: z.int().positive().max(limits.context).default(4096),
  sliding_window_pattern: period,
  _sliding_window_pattern: period,
  hidden_activation: z.string().default("gelu_pytorch_tanh"),
  attn_logit_softcapping: z.number().nullable().default(null),
  final_logit_softcapping: z.number().nullable().default(null),
  use_bidirectional_attention: z.boolean().nullable().default(false),
  rope_theta: ropeBase.nullish(),
  rope_local_base_freq: ropeBase.default(SLIDING_BASE),
  rope_scaling: ropeJson.rope_scaling,
  rope_parameters: Both.nullish(),
});

/** What Gemma's files say beyond Llama's. */
export interface GemmaFacts extends Pick<ModelConfig, "slidingWindow" | "tiedEmbeddings"> {
  readonly headDim: number;
  readonly rope: Rope;
  readonly slidingRope: Rope;
  /** Attention divides products of queries and keys by the root of this. */
  readonly attentionSize: number;
}

/** @throws KvError `invalid_config`, `unsupported_architecture` */
export function gemmaFromJson(source: JsonSource): GemmaFacts {
  const { path } = source;
  const json = parseWith(Gemma, source.config, "invalid_config", path);
  only(path, "hidden_activation", json.hidden_activation, "gelu_pytorch_tanh");
  only(path, "attn_logit_softcapping", json.attn_logit_softcapping, null);
  only(path, "final_logit_softcapping", json.final_logit_softcapping, null);
  only(path, "use_bidirectional_attention", json.use_bidirectional_attention ?? false, false);
  const every = json.sliding_window_pattern ?? json._sliding_window_pattern ?? 6;
  const { full_attention: full, sliding_attention: sliding } = json.rope_parameters ?? {};
  const older = { rope_theta: json.rope_theta, rope_scaling: json.rope_scaling };
  return {
    headDim: json.head_dim,
    tiedEmbeddings: json.tie_word_embeddings,
    slidingWindow: windowsFromJson(
      source,
      json.num_hidden_layers,
      json.sliding_window,
      (layer) => (layer + 1) % every !== 0,
    ),
    rope: ropeFromJson(full ? { rope_parameters: full } : older, path, FULL_BASE),
    slidingRope: ropeFromJson(sliding ? { rope_parameters: sliding } : {}, path, json.rope_local_base_freq),
    attentionSize: json.query_pre_attn_scalar,
  };
}
