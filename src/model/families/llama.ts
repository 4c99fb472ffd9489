/** Llama 1 to 3 and what shares its network, such as SmolLM2. @see https://arxiv.org/abs/2407.21783 */

import { decoderConfig, decoderTensors } from "./decoder.ts";
import { decoderFromGguf } from "./decoder-gguf.ts";
import { decoderFromJson } from "./decoder-json.ts";
import type { Family } from "./family.ts";

export const llama: Family = {
  name: "llama",
  architectures: ["LlamaForCausalLM"],
  modelType: "llama",
  ggufArchitecture: "llama",
  fromJson: (source) => decoderConfig(decoderFromJson(source, "llama"), source.path),
  fromGguf: (source) => decoderConfig(decoderFromGguf(source, "llama"), source.path),
  tensors: decoderTensors,
};
