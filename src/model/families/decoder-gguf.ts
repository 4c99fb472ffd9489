/** GGUF metadata of a Llama-like decoder, as llama.cpp's converter writes it. */

import { z } from "zod";
import { KvError } from "../../error.ts";
import { parseWith } from "../open-json.ts";
import type { GgufMetadata } from "../weights/gguf-header.ts";
import { type DecoderFacts, everyLayer, limits, only, plain } from "./decoder.ts";
import type { GgufSource } from "./family.ts";
import { ropeFromGguf, ropeGguf } from "./rope-gguf.ts";

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
  ...ropeGguf,
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
  only(path, `${architecture}.expert_count`, facts.expert_count, 0);
  if (headDim !== null) {
    only(path, `${architecture}.attention.value_length`, facts["attention.value_length"] ?? headDim, headDim);
    only(path, `${architecture}.rope.dimension_count`, facts["rope.dimension_count"] ?? headDim, headDim);
  }
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
    ...plain,
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
    rope: ropeFromGguf(facts, weights, { path, architecture }),
    tiedEmbeddings: !weights.has("lm_head.weight"),
    // llama.cpp writes 0 for none.
    slidingWindow: everyLayer(facts.block_count, facts["attention.sliding_window"] || null),
    activation: "silu",
    bosToken: tokens["tokenizer.ggml.bos_token_id"] ?? null,
    eosTokens: [...new Set(ends.filter((end) => end !== undefined))],
  };
}

/** The keys that begin with a prefix, without it. */
export const below = (metadata: GgufMetadata, prefix: string): Record<string, unknown> =>
  Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
