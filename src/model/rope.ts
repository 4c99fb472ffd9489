/** RoPE's frequencies, with Llama 3's stretching of the low ones. */
import type { Llama3RopeScaling, ModelConfig } from "./config.ts";

/** Inverse wavelengths of a layer in radians per position, one per pair of channels: [headDim / 2]. */
export function inverseFrequencies({ headDim, rope }: Pick<ModelConfig, "headDim" | "rope">, _layer = 0): Float64Array {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => rope.theta ** ((-2 * i) / headDim));
  const { scaling } = rope;
  return scaling === null ? plain : plain.map((frequency) => stretch(frequency, scaling));
}

/** Llama 3.1: high frequencies stay, low ones are divided by `factor`, those between are blended linearly. */
function stretch(
  frequency: number,
  { factor, lowFreqFactor, highFreqFactor, originalContextLength }: Llama3RopeScaling,
): number {
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalContextLength / highFreqFactor) return frequency;
  if (wavelength > originalContextLength / lowFreqFactor) return frequency / factor;
  const smooth = (originalContextLength / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - smooth) * (frequency / factor) + smooth * frequency;
}
