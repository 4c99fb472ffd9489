/** Rotary position embedding: how fast each pair of a head's channels turns. */
import type { Llama3RopeScaling, ModelConfig, Rope } from "./config.ts";

/** The RoPE of one layer. Layers that share one get the same object. */
export const ropeOf = ({ rope, slidingRope, slidingWindow }: RopeFacts, layer: number): Rope =>
  slidingRope !== null && (slidingWindow[layer] ?? null) !== null ? slidingRope : rope;

type RopeFacts = Pick<ModelConfig, "rope" | "slidingRope" | "slidingWindow">;

/** Inverse wavelengths of a layer in radians per position, one per pair of channels (j, j + headDim / 2): [headDim / 2]. */
export function inverseFrequencies(config: RopeFacts & Pick<ModelConfig, "headDim">, layer: number): Float64Array {
  const { headDim } = config;
  const { theta, scaling } = ropeOf(config, layer);
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  if (scaling === null) return plain;
  return plain.map((frequency) =>
    scaling.type === "linear" ? frequency / scaling.factor : stretch(frequency, scaling),
  );
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

/** Turns the heads of one token's queries or keys to a position, in place: each half of a head's channels pairs with the other. */
export function rotate(heads: Float32Array, frequencies: Float64Array, position: number): void {
  const half = frequencies.length;
  for (let j = 0; j < half; j++) {
    const [cos, sin] = [Math.cos(position * (frequencies[j] ?? 0)), Math.sin(position * (frequencies[j] ?? 0))];
    for (let at = j; at < heads.length; at += 2 * half) {
      const [a, b] = [heads[at] ?? 0, heads[at + half] ?? 0];
      heads[at] = a * cos - b * sin;
      heads[at + half] = b * cos + a * sin;
    }
  }
}
