/**
 * Phi-3, Phi-3.5 mini and Phi-4: Llama's network, whose files hold queries, keys and values as one matrix, and gate and up as another.
 *
 * Those with LongRoPE (the 128k variants, Phi-4-mini) are refused: their frequencies depend on the prompt's length.
 *
 * @see https://arxiv.org/abs/2404.14219
 */

import { z } from "zod";
import { parseWith } from "../open-json.ts";
import type { TensorPart } from "../weights/weights.ts";
import { decoderConfig, decoderTensors, everyLayer, limits } from "./decoder.ts";
import { decoderFromGguf } from "./decoder-gguf.ts";
import { decoderFromJson } from "./decoder-json.ts";
import type { Family } from "./family.ts";

const Window = z.object({ sliding_window: z.int().positive().max(limits.context).nullish() });

export const phi3: Family = {
  name: "phi3",
  architectures: ["Phi3ForCausalLM"],
  modelType: "phi3",
  ggufArchitecture: "phi3",
  fromJson(source) {
    const { sliding_window: window } = parseWith(Window, source.config, "invalid_config", source.path);
    const facts = decoderFromJson(source, "phi3");
    return decoderConfig({ ...facts, slidingWindow: everyLayer(facts.layers, window ?? null) }, source.path);
  },
  fromGguf: (source) => decoderConfig(decoderFromGguf(source, "phi3"), source.path),
  tensors: decoderTensors,
  stored(weights, { layers, queryHeads, kvHeads, headDim, intermediateSize }) {
    const [queryWidth, kvWidth] = [queryHeads * headDim, kvHeads * headDim];
    const parts = Array.from({ length: layers }, (_, layer) => [
      ...inTurn(`model.layers.${layer}.self_attn`, "qkv_proj", {
        q_proj: queryWidth,
        k_proj: kvWidth,
        v_proj: kvWidth,
      }),
      ...inTurn(`model.layers.${layer}.mlp`, "gate_up_proj", {
        gate_proj: intermediateSize,
        up_proj: intermediateSize,
      }),
    ]);
    return weights.split(parts.flat());
  },
};

/** The parts of a fused matrix, one below the other. */
function inTurn(module: string, fused: string, rows: Readonly<Record<string, number>>): readonly TensorPart[] {
  let from = 0;
  return Object.entries(rows).map(([part, count]) => {
    const piece = { name: `${module}.${part}.weight`, of: `${module}.${fused}.weight`, from, rows: count };
    from += count;
    return piece;
  });
}
