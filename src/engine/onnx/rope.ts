/** Rotary position embedding: the angle of each (position, frequency), with Llama 3's stretching of the low frequencies. */
import type { Llama3RopeScaling, ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";

const FIRST_POSITIONS = 1024;

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

/** Cosines and sines: [positions, headDim / 2]. */
export interface Angles {
  readonly cos: Feed;
  readonly sin: Feed;
}

/**
 * Cosines and sines of all positions from 0 on, [positions, headDim / 2], as far as they were asked for: doubled when a later
 * one is. Angles are fp64, so that far positions lose nothing.
 */
export class RotaryTable {
  readonly frequencies: Float64Array;
  #feeds: Angles | null = null;
  #positions = 0;

  constructor(frequencies: Float64Array) {
    this.frequencies = frequencies;
  }

  /** Good for positions below `end`, at least. */
  upTo(end: number): Angles {
    if (this.#feeds !== null && end <= this.#positions) return this.#feeds;
    this.#positions = Math.max(FIRST_POSITIONS, 2 ** Math.ceil(Math.log2(end)));
    this.#feeds = this.of(Int32Array.from({ length: this.#positions }, (_, position) => position));
    return this.#feeds;
  }

  /** Of these positions alone, in their order; nothing of them is kept. */
  of(positions: Int32Array): Angles {
    const half = this.frequencies.length;
    const dims = [positions.length, half];
    const table = (of: (angle: number) => number): Feed => {
      const data = Float32Array.from({ length: positions.length * half }, (_, i) =>
        of((positions[Math.floor(i / half)] ?? 0) * (this.frequencies[i % half] ?? 0)),
      );
      return { data, dims };
    };
    return { cos: table(Math.cos), sin: table(Math.sin) };
  }
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
