/** Rotary position embedding: the angle of each (position, frequency), with Llama 3's stretching of the low frequencies. */
import type { Llama3RopeScaling, ModelConfig } from "../../model/config.ts";

/** Inverse wavelengths in radians per position, one per pair of channels: [headDim / 2]. */
export function inverseFrequencies({ headDim, rope }: Pick<ModelConfig, "headDim" | "rope">): Float64Array {
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

/** Cosines and sines for each position: [positions, headDim / 2]. Angles are fp64, so that far positions lose nothing. */
export function rotations(
  frequencies: Float64Array,
  positions: ArrayLike<number>,
): { cos: Float32Array; sin: Float32Array } {
  const half = frequencies.length;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let i = 0; i < positions.length; i++) {
    for (let j = 0; j < half; j++) {
      const angle = (positions[i] ?? 0) * (frequencies[j] ?? 0);
      cos[i * half + j] = Math.cos(angle);
      sin[i * half + j] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
