import type { ModelConfig } from "../model/config.ts";
import type { Weights } from "../model/weights/weights.ts";

const EMBEDDINGS = "model.embed_tokens.weight";

/** What goes into the first layer for some tokens: [tokens.length, hidden]. */
export function embeddingsOf(
  { embeddingScale }: ModelConfig,
  weights: Weights,
  tokens: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const rows = weights.readRows(EMBEDDINGS, tokens);
  return embeddingScale === 1 ? rows : rows.map((value) => value * embeddingScale);
}
