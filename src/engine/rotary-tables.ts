/** Rotary position embedding as engines take it: tables of cosines and sines, one for each RoPE that the network has. */
import type { ModelConfig, Rope } from "../model/config.ts";
import { inverseFrequencies, ropeOf } from "../model/rope.ts";
import type { Tensor } from "../tensor.ts";

const FIRST_POSITIONS = 1024;

/** What the tables with a layer's cosines and sines are called; layers that share a RoPE share them. */
export interface RotaryInputs {
  readonly cos: string;
  readonly sin: string;
}

export const rotaryInputs = (config: ModelConfig, layer: number): RotaryInputs =>
  ropeOf(config, layer) === config.rope ? { cos: "cos", sin: "sin" } : { cos: "cos.sliding", sin: "sin.sliding" };

/** By name, [positions, headDim / 2] each; the same objects as long as they are good. */
export type Tables = Readonly<Record<string, Tensor>>;

/**
 * Cosines and sines of all positions from 0 on, [positions, headDim / 2], as far as they were asked for: doubled when a later
 * one is. Angles are fp64, so that far positions lose nothing.
 */
export class RotaryTables {
  /** Of each layer, [headDim / 2]. */
  readonly frequencies: readonly Float64Array[];
  readonly #names: readonly RotaryInputs[];
  readonly #contextLength: number;
  #tables: Tables = {};
  #positions = 0;

  constructor(config: ModelConfig) {
    const known = new Map<Rope, Float64Array>();
    this.frequencies = Array.from({ length: config.layers }, (_, layer) => {
      const rope = ropeOf(config, layer);
      const frequencies = known.get(rope) ?? inverseFrequencies(config, layer);
      known.set(rope, frequencies);
      return frequencies;
    });
    this.#contextLength = config.contextLength;
    this.#names = this.frequencies.map((_, layer) => rotaryInputs(config, layer));
  }

  /** Tables good for these positions, and each position's row of them. */
  at(positions: Int32Array): { readonly tables: Tables; readonly rows: Int32Array } {
    const end = positions.reduce((most, position) => Math.max(most, position), 0) + 1;
    // Streams go on past the context where only distances count: a table of all positions would grow with them.
    if (end > this.#contextLength) return { tables: this.#of(positions), rows: positions.map((_, i) => i) };
    return { tables: this.#upTo(end), rows: positions };
  }

  /** Good for positions below `end`, at least. */
  #upTo(end: number): Tables {
    if (end <= this.#positions) return this.#tables;
    this.#positions = Math.max(FIRST_POSITIONS, 2 ** Math.ceil(Math.log2(end)));
    this.#tables = this.#of(Int32Array.from({ length: this.#positions }, (_, position) => position));
    return this.#tables;
  }

  /** Of these positions alone, in their order; nothing of them is kept. */
  #of(positions: Int32Array): Tables {
    const tables: Record<string, Tensor> = {};
    for (const [layer, { cos, sin }] of this.#names.entries()) {
      if (tables[cos] !== undefined) continue;
      const frequencies = this.frequencies[layer] ?? new Float64Array(0);
      tables[cos] = table(frequencies, positions, Math.cos);
      tables[sin] = table(frequencies, positions, Math.sin);
    }
    return tables;
  }
}

function table(frequencies: Float64Array, positions: Int32Array, of: (angle: number) => number): Tensor {
  const half = frequencies.length;
  const data = Float32Array.from({ length: positions.length * half }, (_, i) =>
    of((positions[Math.floor(i / half)] ?? 0) * (frequencies[i % half] ?? 0)),
  );
  return { data, dims: [positions.length, half] };
}
