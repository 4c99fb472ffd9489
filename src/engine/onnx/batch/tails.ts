/** The tails of a batch's sequences side by side, [L, 2, B, KH, T, d], so that a step adds one row rather than copying them all. */
import type { KvCache } from "../../../cache/cache.ts";
import type { CacheGeometry } from "../../../cache/layer.ts";
import { TAIL_PAGE } from "../../../cache/tail.ts";

export class Tails {
  /** Entries there is room for, per sequence and KV head. */
  readonly capacity: number;
  readonly #geometry: CacheGeometry;
  readonly #caches: readonly WeakRef<KvCache>[];
  /** The rows that were copied of each: the position of the first, and how many. */
  readonly #filled: { start: number; rows: number }[];
  readonly #data: Float32Array;

  /** Room for the longest tail, rounded up to a power of two times 16; at least for one more token. */
  constructor(caches: readonly KvCache[], geometry: CacheGeometry) {
    this.capacity = roomFor(caches);
    this.#geometry = geometry;
    this.#caches = caches.map((cache) => new WeakRef(cache));
    this.#filled = caches.map(() => ({ start: 0, rows: 0 }));
    const { layers, kvHeads, headDim } = geometry;
    // Written at once, because a page that a run has read as untouched zeros is dearer to write then: with threads that have it
    // mapped, the first row took 3.5 ms rather than 0.02, and this takes 0.4 (SmolLM2-135M, 2 threads, Bun, 2026-11-22).
    this.#data = new Float32Array(layers * 2 * caches.length * kvHeads * this.capacity * headDim).fill(0);
  }

  /** Whether these are the tails of just these caches, in this order, with room for what they hold by now and not much more. */
  fits(caches: readonly KvCache[]): boolean {
    return (
      caches.length === this.#caches.length &&
      this.capacity <= roomFor(caches) &&
      caches.every((cache, i) => this.#caches[i]?.deref() === cache && cache.tail.length <= this.capacity)
    );
  }

  /** Copies the rows that came since: a tail only grows, unless an eviction makes it begin anew, at a later position. */
  refresh(caches: readonly KvCache[]): void {
    const { layers, kvHeads, headDim } = this.#geometry;
    const sides = layers * 2;
    for (const [i, { tail, length }] of caches.entries()) {
      const start = length - tail.length;
      const filled = this.#filled[i];
      for (let row = filled?.start === start ? filled.rows : 0; row < tail.length; row++) {
        for (let side = 0; side < sides; side++) {
          for (let head = 0; head < kvHeads; head++) {
            const from = ((row * sides + side) * kvHeads + head) * headDim;
            const to = (((side * caches.length + i) * kvHeads + head) * this.capacity + row) * headDim;
            // A loop, because `set` of a `subarray` takes longer for so few numbers, and there are hundreds in every step.
            for (let c = 0; c < headDim; c++) this.#data[to + c] = tail.data[from + c] ?? 0;
          }
        }
      }
      this.#filled[i] = { start, rows: tail.length };
    }
  }

  /** The keys (side 0) or values (1) of a layer: [B * KH, T, d]. */
  side(layer: number, side: 0 | 1): Float32Array {
    const size = this.#data.length / (this.#geometry.layers * 2);
    const from = (2 * layer + side) * size;
    return this.#data.subarray(from, from + size);
  }
}

/** The longest tail and one more token, rounded up to a power of two times 16. */
function roomFor(caches: readonly KvCache[]): number {
  const longest = Math.max(...caches.map(({ tail }) => tail.length));
  return TAIL_PAGE * 2 ** Math.max(0, Math.ceil(Math.log2((longest + 1) / TAIL_PAGE)));
}
