import type { ModelConfig } from "../model/config.ts";
import { rotate } from "../model/rope.ts";

/** Collects the last `count` queries of each layer, after RoPE, [H, count, d], from chunks that may end anywhere. */
export class RecentQueries {
  readonly layers: readonly Float32Array[];
  readonly #config: ModelConfig;
  readonly #frequencies: readonly Float64Array[];
  readonly #count: number;
  readonly #start: number;
  readonly #position: number;

  /**
   * @param frequencies of each layer
   * @param position that of the first of `length` tokens
   */
  constructor(
    config: ModelConfig,
    frequencies: readonly Float64Array[],
    count: number,
    length: number,
    position: number,
  ) {
    this.#config = config;
    this.#frequencies = frequencies;
    this.#count = count;
    this.#start = length - count;
    this.#position = position;
    this.layers = Array.from(
      { length: config.layers },
      () => new Float32Array(config.queryHeads * count * config.headDim),
    );
  }

  /** The chunk's first row that is wanted; null if none is. */
  firstRow(from: number, count: number): number | null {
    return from + count <= this.#start ? null : Math.max(0, this.#start - from);
  }

  /** Takes of rows [L, rows, H * d] as they meet RoPE, the last of which is token end - 1, those that are wanted; turns them where they lie. */
  take(queries: Float32Array, end: number): void {
    const { layers, queryHeads, headDim } = this.#config;
    const width = queryHeads * headDim;
    const rows = queries.length / (layers * width);
    for (const [layer, target] of this.layers.entries()) {
      const frequencies = this.#frequencies[layer] ?? new Float64Array(0);
      for (let row = Math.max(0, this.#start - end + rows); row < rows; row++) {
        const token = end - rows + row;
        const from = (layer * rows + row) * width;
        const heads = queries.subarray(from, from + width);
        rotate(heads, frequencies, this.#position + token);
        for (let head = 0; head < queryHeads; head++) {
          const to = (head * this.#count + token - this.#start) * headDim;
          target.set(heads.subarray(head * headDim, (head + 1) * headDim), to);
        }
      }
    }
  }
}
