/**
 * The full cache of a prompt while prefill fills it, chunk by chunk.
 *
 * Each layer is one allocation of its final size, [KH, n, d]. At every moment its first KH * p * d numbers are the p positions
 * seen so far, packed as [KH, p, d], because that is the view the next chunk attends to: taking in a chunk moves the
 * heads apart in place, last head first.
 */
import { type CacheGeometry, type LayerEntries, offsetsOf } from "./layer.ts";

export class PromptCache {
  readonly #geometry: CacheGeometry;
  readonly #capacity: number;
  readonly #keys: readonly Float32Array[];
  readonly #values: readonly Float32Array[];
  #length = 0;

  constructor(geometry: CacheGeometry, capacity: number) {
    const { layers, kvHeads, headDim } = geometry;
    const allocate = () => Array.from({ length: layers }, () => new Float32Array(kvHeads * capacity * headDim));
    this.#geometry = geometry;
    this.#capacity = capacity;
    this.#keys = allocate();
    this.#values = allocate();
  }

  get length(): number {
    return this.#length;
  }
  /** Keys seen so far: [KH, length, d]. */
  keys(layer: number): Float32Array {
    return this.#seen(this.#keys[layer]);
  }
  /** Values seen so far: [KH, length, d]. */
  values(layer: number): Float32Array {
    return this.#seen(this.#values[layer]);
  }

  /** Takes in a chunk of `count` tokens: the keys and values of each layer in turn, [KH, count, d]. */
  append(sides: readonly Float32Array[], count: number): void {
    const { kvHeads, headDim } = this.#geometry;
    for (const [i, side] of sides.entries()) {
      const buffer = (i % 2 === 0 ? this.#keys : this.#values)[i >> 1];
      if (buffer !== undefined) insert(buffer, side, kvHeads, this.#length * headDim, count * headDim);
    }
    this.#length += count;
  }

  /** The finished cache's layers; all share one list of positions. */
  finish(): readonly LayerEntries[] {
    const { kvHeads } = this.#geometry;
    const n = this.#capacity;
    const positions = Int32Array.from({ length: kvHeads * n }, (_, i) => i % n);
    const offsets = offsetsOf(new Array<number>(kvHeads).fill(n));
    return this.#keys.map((keys, layer) => ({ keys, values: this.values(layer), positions, offsets }));
  }

  #seen(buffer: Float32Array | undefined): Float32Array {
    return (buffer ?? new Float32Array(0)).subarray(0, this.#geometry.kvHeads * this.#length * this.#geometry.headDim);
  }
}

/** [heads, old] packed at the front of `buffer` becomes [heads, old + added], the added numbers taken from [heads, added]. */
function insert(buffer: Float32Array, chunk: Float32Array, heads: number, old: number, added: number): void {
  for (let h = heads - 1; h >= 0; h--) {
    const to = h * (old + added);
    buffer.copyWithin(to, h * old, (h + 1) * old);
    buffer.set(chunk.subarray(h * added, (h + 1) * added), to + old);
  }
}
