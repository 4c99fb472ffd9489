import type { ModelConfig } from "../../model/config.ts";

/** Collects the last `count` queries of each layer, [H, count, d], from chunks that may end anywhere. */
export class RecentQueries {
  readonly layers: readonly Float32Array[];
  readonly #config: ModelConfig;
  readonly #count: number;
  readonly #start: number;

  constructor(config: ModelConfig, count: number, length: number) {
    this.#config = config;
    this.#count = count;
    this.#start = length - count;
    this.layers = Array.from(
      { length: config.layers },
      () => new Float32Array(config.queryHeads * count * config.headDim),
    );
  }

  /** The chunk's first row that is wanted; null if none is. */
  firstRow(from: number, count: number): number | null {
    return from + count <= this.#start ? null : Math.max(0, this.#start - from);
  }

  /** Takes rows [L, H, rows, d], the last of which is position end - 1. */
  take(queries: Float32Array, end: number): void {
    const { layers, queryHeads, headDim } = this.#config;
    const rows = queries.length / (layers * queryHeads * headDim);
    const wanted = Math.min(rows, end - this.#start);
    if (wanted <= 0) return;
    this.layers.forEach((target, layer) => {
      for (let head = 0; head < queryHeads; head++) {
        const last = ((layer * queryHeads + head) * rows + rows) * headDim;
        const to = (head * this.#count + (end - this.#start - wanted)) * headDim;
        target.set(queries.subarray(last - wanted * headDim, last), to);
      }
    });
  }
}
