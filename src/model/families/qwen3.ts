/** Qwen3: Llama's network with each head's query and key normalised before RoPE. @see https://arxiv.org/abs/2505.09388 */

import { decoderConfig, decoderTensors } from "./decoder.ts";
import { decoderFromGguf } from "./decoder-gguf.ts";
import { decoderFromJson } from "./decoder-json.ts";
import type { Family } from "./family.ts";
import { qwenWindows } from "./sliding-json.ts";

/** Where the file does not say, as in transformers. */
const HEAD_DIM = 128;

export const qwen3: Family = {
  name: "qwen3",
  architectures: ["Qwen3ForCausalLM"],
  modelType: "qwen3",
  ggufArchitecture: "qwen3",
  fromJson(source) {
    const facts = decoderFromJson(source, "qwen3");
    const headDim = facts.headDim ?? HEAD_DIM;
    const slidingWindow = qwenWindows(source, facts.layers);
    return decoderConfig({ ...facts, headDim, slidingWindow, queryKeyNorm: true }, source.path);
  },
  fromGguf: (source) => decoderConfig({ ...decoderFromGguf(source, "qwen3"), queryKeyNorm: true }, source.path),
  tensors: decoderTensors,
};
