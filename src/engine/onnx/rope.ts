/** Rotary position embedding as the decoder graph takes it: tables of cosines and sines, one for each RoPE that the network has. */
import type { ModelConfig, Rope } from "../../model/config.ts";
import { inverseFrequencies, ropeOf } from "../../model/rope.ts";
import type { Feed } from "../../onnx/session.ts";
import type { Feeds } from "./rows.ts";

const FIRST_POSITIONS = 1024;

/** What the inputs with a layer's cosines and sines are called; layers that share a RoPE share them. */
export interface RotaryInputs {
  readonly cos: string;
  readonly sin: string;
}

export const rotaryInputs = (config: ModelConfig, layer: number): RotaryInputs =>
  ropeOf(config, layer) === config.rope ? { cos: "cos", sin: "sin" } : { cos: "cos.sliding", sin: "sin.sliding" };

/**
 * Cosines and sines of all positions from 0 on, [positions, headDim / 2], as far as they were asked for: doubled when a later
 * one is. Angles are fp64, so that far positions lose nothing.
 */
export class RotaryTables {
  /** Of each layer, [headDim / 2]. */
  readonly frequencies: readonly Float64Array[];
  readonly #names: readonly RotaryInputs[];
  #feeds: Feeds = {};
  #positions = 0;

  constructor(config: ModelConfig) {
    const known = new Map<Rope, Float64Array>();
    this.frequencies = Array.from({ length: config.layers }, (_, layer) => {
      const rope = ropeOf(config, layer);
      const frequencies = known.get(rope) ?? inverseFrequencies(config, layer);
      known.set(rope, frequencies);
      return frequencies;
    });
    this.#names = this.frequencies.map((_, layer) => rotaryInputs(config, layer));
  }

  /** Good for positions below `end`, at least. */
  upTo(end: number): Feeds {
    if (end <= this.#positions) return this.#feeds;
    this.#positions = Math.max(FIRST_POSITIONS, 2 ** Math.ceil(Math.log2(end)));
    this.#feeds = this.of(Int32Array.from({ length: this.#positions }, (_, position) => position));
    return this.#feeds;
  }

  /** Of these positions alone, in their order; nothing of them is kept. */
  of(positions: Int32Array): Feeds {
    const feeds: Feeds = {};
    for (const [layer, { cos, sin }] of this.#names.entries()) {
      if (feeds[cos] !== undefined) continue;
      const frequencies = this.frequencies[layer] ?? new Float64Array(0);
      feeds[cos] = table(frequencies, positions, Math.cos);
      feeds[sin] = table(frequencies, positions, Math.sin);
    }
    return feeds;
  }
}

function table(frequencies: Float64Array, positions: Int32Array, of: (angle: number) => number): Feed {
  const half = frequencies.length;
  const data = Float32Array.from({ length: positions.length * half }, (_, i) =>
    of((positions[Math.floor(i / half)] ?? 0) * (frequencies[i % half] ?? 0)),
  );
  return { data, dims: [positions.length, half] };
}
