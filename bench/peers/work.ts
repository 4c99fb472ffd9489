/** What a model's work comes to, from its configuration alone: operations of a prefill, bytes read by a decoding step. */
import type { ModelConfig } from "../../src/index.ts";

const FLOAT_BYTES = 4;

/** Numbers in the matrices of all layers; embeddings and norms are left out. */
function matrixParameters({ layers, hiddenSize, intermediateSize, queryHeads, kvHeads, headDim }: ModelConfig): number {
  return layers * hiddenSize * (2 * headDim * (queryHeads + kvHeads) + 3 * intermediateSize);
}

/**
 * Floating-point operations of a prefill of n tokens: two per token and parameter of the layers, causal attention (4 n d per query
 * head, half of it masked), and the logits of the last token. Norms, RoPE and softmax, a few per cent more, are left out, and
 * so are sliding windows.
 */
export function prefillFlops(config: ModelConfig, n: number): number {
  const { layers, queryHeads, headDim, hiddenSize, vocabSize } = config;
  const attention = (layers * queryHeads * 4 * n * n * headDim) / 2;
  return 2 * n * matrixParameters(config) + attention + 2 * hiddenSize * vocabSize;
}

/** Bytes of the weights in memory, as fp32: a table that is embedding and output both counts once. */
export function weightBytes(config: ModelConfig): number {
  const { layers, hiddenSize, vocabSize, tiedEmbeddings } = config;
  const tables = vocabSize * hiddenSize * (tiedEmbeddings ? 1 : 2);
  return FLOAT_BYTES * (matrixParameters(config) + tables + hiddenSize * (2 * layers + 1));
}

/** Bytes that decoding one token must read: every weight but the embeddings that are not its own, and the cache. */
export function stepBytes(config: ModelConfig, cacheBytes: number): number {
  const { hiddenSize, vocabSize, tiedEmbeddings } = config;
  return weightBytes(config) - (tiedEmbeddings ? 0 : FLOAT_BYTES * hiddenSize * vocabSize) + cacheBytes;
}
