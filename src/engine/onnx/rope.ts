/** Rotary position embedding: cosines and sines of positions, and turning by them. */
import type { Feed } from "../../onnx/session.ts";

const FIRST_POSITIONS = 1024;

/**
 * Cosines and sines of all positions from 0 on, [positions, headDim / 2], as far as they were asked for: doubled when a later
 * one is. Angles are fp64, so that far positions lose nothing.
 */
export class RotaryTable {
  readonly frequencies: Float64Array;
  #feeds: { readonly cos: Feed; readonly sin: Feed } | null = null;
  #positions = 0;

  constructor(frequencies: Float64Array) {
    this.frequencies = frequencies;
  }

  /** Good for positions below `end`, at least. */
  upTo(end: number): { readonly cos: Feed; readonly sin: Feed } {
    if (this.#feeds !== null && end <= this.#positions) return this.#feeds;
    this.#positions = Math.max(FIRST_POSITIONS, 2 ** Math.ceil(Math.log2(end)));
    const half = this.frequencies.length;
    const dims = [this.#positions, half];
    const table = (of: (angle: number) => number): Feed => {
      const data = Float32Array.from({ length: this.#positions * half }, (_, i) =>
        of(Math.floor(i / half) * (this.frequencies[i % half] ?? 0)),
      );
      return { data, dims };
    };
    this.#feeds = { cos: table(Math.cos), sin: table(Math.sin) };
    return this.#feeds;
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
