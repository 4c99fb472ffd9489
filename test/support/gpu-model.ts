/** A tiny random model on a given device. */
import type { BringOptions } from "../../src/engine/webgpu/bring.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import type { Gpu } from "../../src/gpu/index.ts";
import type { Model } from "../../src/load.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import type { Weights } from "../../src/model/weights/weights.ts";
import { randomWeights } from "./random-model.ts";

/** The same device for one engine after another, none of which ends it. */
export const lasting = (gpu: Gpu): Gpu => Object.create(gpu, { [Symbol.dispose]: { value: () => undefined } });

/** Owns the device. */
export async function gpuModel(
  gpu: Gpu,
  config: ModelConfig,
  options: BringOptions = {},
  weights: Weights = randomWeights(config, 1),
): Promise<Model> {
  const engine = await webgpuEngine(config, weights, gpu, options);
  return {
    id: "random",
    revision: null,
    config,
    engine,
    tokenizer: null,
    provenance: () => Promise.reject(new Error("of no interest")),
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}
