/** Mistral 7B and its like: Llama's network with a sliding attention window. @see https://arxiv.org/abs/2310.06825 */

import { z } from "zod";
import { parseWith } from "../open-json.ts";
import { decoderConfig, decoderTensors, everyLayer, limits } from "./decoder.ts";
import { decoderFromJson } from "./decoder-json.ts";
import type { Family } from "./family.ts";
import { llama } from "./llama.ts";

/** Absent means 4096 and null means none, as in transformers. */
const Window = z.object({ sliding_window: z.int().positive().max(limits.context).nullable().default(4096) });

export const mistral: Family = {
  name: "mistral",
  architectures: ["MistralForCausalLM"],
  modelType: "mistral",
  // llama.cpp's converter writes these models as llama.
  ggufArchitecture: null,
  fromJson(source) {
    const { sliding_window: window } = parseWith(Window, source.config, "invalid_config", source.path);
    const facts = decoderFromJson(source, "mistral");
    return decoderConfig({ ...facts, slidingWindow: everyLayer(facts.layers, window) }, source.path);
  },
  fromGguf: llama.fromGguf,
  tensors: decoderTensors,
};
