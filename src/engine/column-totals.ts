import type { ModelConfig } from "../model/config.ts";

/** Adds up, chunk by chunk, the attention that every key receives; fp64, since thousands of terms meet in one sum. */
export class ColumnTotals {
  readonly #heads: number;
  readonly #length: number;
  readonly #totals: readonly Float64Array[];

  constructor({ layers, queryHeads }: ModelConfig, length: number) {
    this.#heads = queryHeads;
    this.#length = length;
    this.#totals = Array.from({ length: layers }, () => new Float64Array(queryHeads * length));
  }

  /** Takes in what a chunk's queries gave to each of the `end` keys so far: [H, end] of each layer. */
  add(chunk: readonly Float32Array[], end: number): void {
    for (const [layer, sums] of chunk.entries()) {
      const total = this.#totals[layer] ?? new Float64Array(0);
      for (let head = 0; head < this.#heads; head++) {
        const [from, to] = [head * end, head * this.#length];
        for (let j = 0; j < end; j++) total[to + j] = (total[to + j] ?? 0) + (sums[from + j] ?? 0);
      }
    }
  }

  /** [H, n] of each layer. */
  layers(): readonly Float32Array[] {
    return this.#totals.map((total) => Float32Array.from(total));
  }
}
