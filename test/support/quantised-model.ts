/** Tiny random models as GGUF files whose matrices are quantised, each to a type of its own if need be. */
import { writeFile } from "node:fs/promises";
import type { ModelConfig } from "../../src/model/config.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
import { ggufMetadata, ggufTensors } from "./gguf-model.ts";
import { ggufBytes } from "./gguf-writer.ts";
import { randomWeights, tinyConfig } from "./random-model.ts";

/** Wide enough that every matrix has rows of several blocks. */
export const quantisedConfig = (layers = 2): ModelConfig => ({
  ...tinyConfig({ layers, queryHeads: 4, kvHeads: 2, headDim: 16 }),
  hiddenSize: 64,
  intermediateSize: 96,
});

/** Wide enough for whole super-blocks in every row. */
export const superBlockConfig = (): ModelConfig => ({
  ...tinyConfig({ layers: 2, queryHeads: 4, kvHeads: 2, headDim: 64 }),
  hiddenSize: 256,
  intermediateSize: 512,
});

interface QuantisedOptions {
  readonly layers?: number;
  readonly seed?: number;
  /** Instead of `quantisedConfig(layers)`. */
  readonly config?: ModelConfig;
}

/** Writes the model; equal arguments give equal files. @param typeOf the type of the i-th matrix */
export async function writeQuantised(
  path: string,
  typeOf: (i: number) => WeightType,
  { layers = 2, seed = 1, config = quantisedConfig(layers) }: QuantisedOptions = {},
): Promise<string> {
  let matrices = 0;
  const tensors = ggufTensors(config, randomWeights(config, seed)).map((tensor) =>
    tensor.shape.length === 2 ? { ...tensor, type: typeOf(matrices++) } : tensor,
  );
  await writeFile(path, ggufBytes({ metadata: ggufMetadata(config), tensors }));
  return path;
}
