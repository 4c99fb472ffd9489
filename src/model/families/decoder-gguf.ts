/** GGUF metadata of a Llama-like decoder, as llama.cpp's converter writes it. */

import { z } from "zod";
import { KvError } from "../../error.ts";
import { parseWith } from "../open-json.ts";
import type { GgufMetadata } from "../weights/gguf-header.ts";
import { type DecoderFacts, limits } from "./decoder.ts";
import type { GgufSource } from "./family.ts";
import { scalingFromDivisors } from "./rope-gguf.ts";

const upTo = (limit: number) => z.int().positive().max(limit);
const token = z.int().nonnegative().optional();

/** Keys below `general.architecture`'s own prefix. */
const Decoder = z.object({
  block_count: upTo(limits.layers),
  context_length: upTo(limits.context),
  embedding_length: upTo(limits.width),
  feed_forward_length: upTo(limits.intermediate),
  "attention.head_count": upTo(limits.heads),
  "attention.head_count_kv": upTo(limits.heads).optional(),
  "attention.key_length": upTo(limits.headDim).optional(),
  "attention.value_length": upTo(limits.headDim).optional(),
  "attention.layer_norm_rms_epsilon": z.number().positive().max(1),
  "attention.sliding_window": z.int().nonnegative().max(limits.context).optional(),
  "rope.dimension_count": upTo(limits.headDim).optional(),
  "rope.freq_base": z.number().positive().max(1e12).default(10_000),
  "rope.scaling.type": z.string().default("none"),
  "rope.scale_linear": z.number().default(1),
  expert_count: z.int().default(0),
  vocab_size: upTo(limits.vocab).optional(),
});

const Tokens = z.object({
  "tokenizer.ggml.tokens": z.array(z.string()).min(1).max(limits.vocab).optional(),
  "tokenizer.ggml.bos_token_id": token,
  "tokenizer.ggml.eos_token_id": token,
  "tokenizer.ggml.eot_token_id": token,
});

/** @throws KvError `invalid_config` (a key's type or range), `unsupported_architecture` (experts, another RoPE) */
export function decoderFromGguf({ metadata, weights, path }: GgufSource, family: string): DecoderFacts {
  const architecture = String(metadata.get("general.architecture"));
  const facts = parseWith(Decoder, below(metadata, `${architecture}.`), "invalid_config", path);
  const tokens = parseWith(Tokens, Object.fromEntries(metadata), "invalid_config", path);
  const headDim = facts["attention.key_length"] ?? facts["rope.dimension_count"] ?? null;
  const only = <T>(key: string, found: T, allowed: T): void => {
    if (found === allowed) return;
    throw new KvError({
      code: "unsupported_architecture",
      path: [path, `${architecture}.${key}`],
      found,
      allowed: `${allowed}`,
    });
  };
  only("expert_count", facts.expert_count, 0);
  only("rope.scaling.type", facts["rope.scaling.type"], "none");
  only("rope.scale_linear", facts["rope.scale_linear"], 1);
  if (headDim !== null) {
    only("attention.value_length", facts["attention.value_length"] ?? headDim, headDim);
    only("rope.dimension_count", facts["rope.dimension_count"] ?? headDim, headDim);
  }
  const theta = facts["rope.freq_base"];
  const vocabSize = tokens["tokenizer.ggml.tokens"]?.length ?? facts.vocab_size;
  if (vocabSize === undefined) {
    throw new KvError({
      code: "invalid_config",
      path: [path, "tokenizer.ggml.tokens"],
      found: "absent",
      allowed: "there",
    });
  }
  const ends = [tokens["tokenizer.ggml.eos_token_id"], tokens["tokenizer.ggml.eot_token_id"]];
  return {
    family,
    layers: facts.block_count,
    hiddenSize: facts.embedding_length,
    intermediateSize: facts.feed_forward_length,
    queryHeads: facts["attention.head_count"],
    kvHeads: facts["attention.head_count_kv"] ?? null,
    headDim,
    vocabSize,
    contextLength: facts.context_length,
    normEpsilon: facts["attention.layer_norm_rms_epsilon"],
    rope: {
      theta,
      scaling: weights.has("rope_freqs.weight")
        ? scalingFromDivisors(weights.read("rope_freqs.weight"), theta, path)
        : null,
    },
    tiedEmbeddings: !weights.has("lm_head.weight"),
    // llama.cpp writes 0 for none.
    slidingWindow: facts["attention.sliding_window"] || null,
    bosToken: tokens["tokenizer.ggml.bos_token_id"] ?? null,
    eosTokens: [...new Set(ends.filter((end) => end !== undefined))],
  };
}

const below = (metadata: GgufMetadata, prefix: string): Record<string, unknown> =>
  Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
