/** Where "fast" precision is faster on a GPU. */
import type { GpuFeatures } from "../../gpu/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { canBeFast } from "../onnx/linear.ts";

/** Half precision takes any matrix, products of bytes only those that are stored quantised. */
export const canBeFastOn = ({ f16, packedDot }: GpuFeatures, config: ModelConfig, weights: Weights): boolean =>
  f16 || (packedDot && canBeFast(config, weights));
