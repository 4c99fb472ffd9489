/** The full cache of a prompt while prefill fills it: one allocation of its final size per layer, in its final place. */
import { type CacheGeometry, type LayerEntries, offsetsOf } from "./layer.ts";

export class PromptCache {
  /** Keys and values of each layer, [KH, capacity, d]: zeros where no position was written yet. */
  readonly layers: readonly { readonly keys: Float32Array; readonly values: Float32Array }[];
  readonly #kvHeads: number;
  readonly #capacity: number;

  constructor({ layers, kvHeads, headDim }: CacheGeometry, capacity: number) {
    const allocate = () => new Float32Array(kvHeads * capacity * headDim);
    this.layers = Array.from({ length: layers }, () => ({ keys: allocate(), values: allocate() }));
    this.#kvHeads = kvHeads;
    this.#capacity = capacity;
  }

  /** The finished cache's layers; all share one list of positions. */
  finish(): readonly LayerEntries[] {
    const n = this.#capacity;
    const positions = Int32Array.from({ length: this.#kvHeads * n }, (_, i) => i % n);
    const offsets = offsetsOf(new Array<number>(this.#kvHeads).fill(n));
    return this.layers.map((layer) => ({ ...layer, positions, offsets }));
  }
}
