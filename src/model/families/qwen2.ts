/** Qwen2 and Qwen2.5: Llama's network with biases on queries, keys and values. @see https://arxiv.org/abs/2412.15115 */

import { decoderConfig, decoderTensors } from "./decoder.ts";
import { decoderFromGguf } from "./decoder-gguf.ts";
import { decoderFromJson } from "./decoder-json.ts";
import type { Family } from "./family.ts";
import { qwenWindows } from "./sliding-json.ts";

export const qwen2: Family = {
  name: "qwen2",
  architectures: ["Qwen2ForCausalLM"],
  modelType: "qwen2",
  ggufArchitecture: "qwen2",
  fromJson(source) {
    const facts = decoderFromJson(source, "qwen2");
    const slidingWindow = qwenWindows(source, facts.layers);
    return decoderConfig({ ...facts, slidingWindow, attentionBias: true }, source.path);
  },
  fromGguf: (source) => decoderConfig({ ...decoderFromGguf(source, "qwen2"), attentionBias: true }, source.path),
  tensors: decoderTensors,
};
