import type { ModelConfig } from "../../model/config.ts";

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

  /** Takes of rows [L, rows, H * d] as they meet RoPE, the last of which is token end - 1, those that are wanted, and turns them. */
  take(queries: Float32Array, end: number): void {
    const { layers, queryHeads, headDim } = this.#config;
    const width = queryHeads * headDim;
    const rows = queries.length / (layers * width);
    for (let row = Math.max(0, this.#start - end + rows); row < rows; row++) {
      const token = end - rows + row;
      let turn: Turn | null = null;
      for (const [layer, target] of this.layers.entries()) {
        const frequencies = this.#frequencies[layer] ?? new Float64Array(0);
        // Mostly the same for all layers, and the angles cost more than the rest.
        if (turn?.frequencies !== frequencies) turn = turnTo(this.#position + token, frequencies);
        for (let head = 0; head < queryHeads; head++) {
          const from = (layer * rows + row) * width + head * headDim;
          turned(queries, from, turn, target, (head * this.#count + token - this.#start) * headDim);
        }
      }
    }
  }
}

interface Turn {
  readonly frequencies: Float64Array;
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

const turnTo = (position: number, frequencies: Float64Array): Turn => ({
  frequencies,
  cos: frequencies.map((frequency) => Math.cos(position * frequency)),
  sin: frequencies.map((frequency) => Math.sin(position * frequency)),
});

/** One head's channels, turned on their way from one array to another: views of every head would cost more than the turning. */
function turned(source: Float32Array, from: number, { cos, sin }: Turn, target: Float32Array, to: number): void {
  const half = cos.length;
  for (let i = 0; i < half; i++) {
    const a = source[from + i] ?? 0;
    const b = source[from + half + i] ?? 0;
    target[to + i] = a * (cos[i] ?? 0) - b * (sin[i] ?? 0);
    target[to + half + i] = b * (cos[i] ?? 0) + a * (sin[i] ?? 0);
  }
}
