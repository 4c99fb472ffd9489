import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { sumsOf } from "./layer-attention.ts";
import { floats } from "./run.ts";

/** Adds up, chunk by chunk, the attention that every key receives; fp64, since thousands of terms meet in one sum. */
export class ColumnTotals {
  /** The outputs that it adds. */
  readonly names: readonly string[];
  readonly #heads: number;
  readonly #length: number;
  readonly #totals: readonly Float64Array[];

  constructor({ layers, queryHeads }: ModelConfig, length: number) {
    this.names = Array.from({ length: layers }, (_, layer) => sumsOf(layer));
    this.#heads = queryHeads;
    this.#length = length;
    this.#totals = this.names.map(() => new Float64Array(queryHeads * length));
  }

  /** Takes in what a chunk's queries gave to each of the `end` keys so far: [1, H, end] of each layer. */
  add(outputs: Readonly<Record<string, Feed>>, end: number): void {
    for (const [layer, name] of this.names.entries()) {
      const sums = floats(outputs, name);
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
