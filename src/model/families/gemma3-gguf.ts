/** What GGUF metadata say of a Gemma 3 beyond what they say of every decoder, and what llama.cpp takes for granted. */

import { z } from "zod";
import { parseWith } from "../open-json.ts";
import { limits } from "./decoder.ts";
import { below } from "./decoder-gguf.ts";
import type { GgufSource } from "./family.ts";
import type { GemmaFacts } from "./gemma3-json.ts";
import { ropeFromGguf, ropeGguf } from "./rope-gguf.ts";

const ropeBase = z.number().positive().max(limits.ropeBase);
const upTo = (limit: number) => z.int().positive().max(limit);

const Gemma = z.object({
  block_count: upTo(limits.layers),
  embedding_length: upTo(limits.width),
  "attention.head_count": upTo(limits.heads),
  "attention.key_length": upTo(limits.headDim).default(256),
  "attention.sliding_window": upTo(limits.context),
  /** Full layers are each so manieth, or a list says which slide. */
  "attention.sliding_window_pattern": z.union([upTo(limits.layers), z.array(z.boolean())]).default(6),
  ...ropeGguf,
  "rope.freq_base": ropeBase.default(1e6),
  "rope.freq_base_swa": ropeBase.default(10_000),
});

/** No key says how products of queries and keys are scaled: by the head size but in the 27B model, known by its layers. */
const LAYERS_27B = 62;

/** @throws KvError `invalid_config`, `unsupported_architecture` */
export function gemmaFromGguf({ metadata, weights, path }: GgufSource): GemmaFacts {
  const facts = parseWith(Gemma, below(metadata, "gemma3."), "invalid_config", path);
  const pattern = facts["attention.sliding_window_pattern"];
  const slides = (layer: number) =>
    typeof pattern === "number" ? (layer + 1) % pattern !== 0 : (pattern[layer] ?? false);
  const headDim = facts["attention.key_length"];
  return {
    headDim,
    tiedEmbeddings: !weights.has("lm_head.weight"),
    slidingWindow: Array.from({ length: facts.block_count }, (_, layer) =>
      slides(layer) ? facts["attention.sliding_window"] : null,
    ),
    rope: ropeFromGguf(facts, weights, { path, architecture: "gemma3" }),
    slidingRope: { theta: facts["rope.freq_base_swa"], scaling: null },
    attentionSize: facts.block_count === LAYERS_27B ? facts.embedding_length / facts["attention.head_count"] : headDim,
  };
}
