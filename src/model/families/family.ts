/** What a family of models is to this project: how its files are recognised, read, and what tensors it needs. */

import type { ModelConfig } from "../config.ts";
import type { GgufMetadata } from "../weights/gguf-header.ts";
import type { Weights } from "../weights/weights.ts";

export interface Family {
  /** Stands in `ModelConfig.family`. */
  readonly name: string;
  /** Entries of config.json's `architectures`. */
  readonly architectures: readonly string[];
  /** config.json's `model_type`, where `architectures` is absent. */
  readonly modelType: string;
  /** GGUF's `general.architecture`; null where another family's name is used for these models. */
  readonly ggufArchitecture: string | null;
  /** @throws KvError `invalid_config`, `unsupported_architecture` */
  fromJson(source: JsonSource): ModelConfig;
  /** @throws KvError `invalid_config`, `unsupported_architecture` */
  fromGguf(source: GgufSource): ModelConfig;
  /** Every tensor that the engine will read. */
  tensors(config: ModelConfig): readonly ExpectedTensor[];
  /** Makes them of what the files hold, where that is something else. @throws KvError `missing_tensor`, `wrong_shape` */
  stored?(weights: Weights, config: ModelConfig, format: WeightFormat): Weights;
}

export type WeightFormat = "safetensors" | "gguf";

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface JsonSource {
  /** config.json's content. */
  readonly config: unknown;
  /** generation_config.json's, or null. */
  readonly generation: unknown;
  /** config.json's path, for messages. */
  readonly path: string;
}

export interface GgufSource {
  readonly metadata: GgufMetadata;
  readonly weights: Weights;
  readonly path: string;
}
