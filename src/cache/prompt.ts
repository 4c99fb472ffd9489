/**
 * A prompt's cache while prefill fills it, chunk by chunk: equally many entries in every layer and KV head, at true positions.
 *
 * Each layer is one allocation, [KH, capacity, d]. At every moment its first KH * p * d numbers are the p entries held, packed as
 * [KH, p, d], because that is the view the next chunk attends to: taking in a chunk moves the heads apart in place, last
 * head first, and evicting moves what stays together, first head first.
 */

import { type CacheGeometry, type LayerEntries, offsetsOf, type Places } from "./layer.ts";
import { gatherInPlace, insert } from "./packed-heads.ts";
import type { PromptEntries } from "./prompt-entries.ts";
import { countOf } from "./prompt-places.ts";
import type { Selection } from "./selection.ts";

export class PromptCache implements PromptEntries {
  readonly onDevice = null;
  readonly #geometry: CacheGeometry;
  #capacity: number;
  #keys: readonly Float32Array[];
  #values: readonly Float32Array[];
  /** [KH, length] of each layer; all are one list while every token is held. */
  #positions: readonly Int32Array[];
  #length = 0;
  #position = 0;

  /** @param capacity entries per head to make room for at once; more find room when they come */
  constructor(geometry: CacheGeometry, capacity: number) {
    const { layers, kvHeads, headDim } = geometry;
    const allocate = () => Array.from({ length: layers }, () => new Float32Array(kvHeads * capacity * headDim));
    this.#geometry = geometry;
    this.#capacity = capacity;
    this.#keys = allocate();
    this.#values = allocate();
    this.#positions = new Array<Int32Array>(layers).fill(new Int32Array(0));
  }

  copy(room: number): PromptCache {
    const cache = new PromptCache(this.#geometry, this.#length + room);
    for (let layer = 0; layer < this.#geometry.layers; layer++) {
      cache.#keys[layer]?.set(this.keys(layer));
      cache.#values[layer]?.set(this.values(layer));
    }
    cache.#positions = this.#positions;
    cache.#length = this.#length;
    cache.#position = this.#position;
    return cache;
  }

  get length(): number {
    return this.#length;
  }
  get position(): number {
    return this.#position;
  }
  get places(): readonly Places[] {
    return this.layers();
  }
  stored(layer: number) {
    const dims = [this.#geometry.kvHeads, this.#length, this.#geometry.headDim];
    return { keys: { data: this.keys(layer), dims }, values: { data: this.values(layer), dims } };
  }
  /** Keys held: [KH, length, d]. */
  keys(layer: number): Float32Array {
    return this.#held(this.#keys[layer]);
  }
  /** Values held: [KH, length, d]. */
  values(layer: number): Float32Array {
    return this.#held(this.#values[layer]);
  }

  /** Takes in a chunk of `count` tokens: [L, 2, KH, count, d]. */
  append(chunk: Float32Array, count: number): void {
    const { kvHeads, headDim } = this.#geometry;
    if (this.#length + count > this.#capacity) this.#grow(Math.max(2 * this.#capacity, this.#length + count));
    const part = kvHeads * count * headDim;
    const takeIn = (buffers: readonly Float32Array[], side: 0 | 1) => {
      for (const [layer, buffer] of buffers.entries()) {
        const from = (2 * layer + side) * part;
        insert(buffer, chunk.subarray(from, from + part), kvHeads, this.#length * headDim, count * headDim);
      }
    };
    takeIn(this.#keys, 0);
    takeIn(this.#values, 1);
    const fresh = Int32Array.from({ length: kvHeads * count }, (_, i) => this.#position + (i % count));
    this.#positions = eachOnce(this.#positions, (old) => {
      const positions = new Int32Array(old.length + fresh.length);
      positions.set(old);
      insert(positions, fresh, kvHeads, this.#length, count);
      return positions;
    });
    this.#length += count;
    this.#position += count;
  }

  retain(selection: Selection): void {
    const { headDim } = this.#geometry;
    const kept = countOf(selection, this.#geometry);
    this.#positions = this.#positions.map((positions, layer) => {
      const rows = selection[layer] ?? [];
      for (const side of [this.#keys, this.#values]) gatherInPlace(side[layer], rows, this.#length, headDim);
      const own = positions.slice();
      gatherInPlace(own, rows, this.#length, 1);
      return own.slice(0, rows.length * kept);
    });
    this.#length = kept;
  }

  rewind(length: number): void {
    const forgotten = this.#length - length;
    const rows = Int32Array.from({ length }, (_, i) => i);
    const { layers, kvHeads } = this.#geometry;
    this.retain(Array.from({ length: layers }, () => new Array<Int32Array>(kvHeads).fill(rows)));
    this.#position -= forgotten;
  }

  layers(): readonly LayerEntries[] {
    const offsets = offsetsOf(new Array<number>(this.#geometry.kvHeads).fill(this.#length));
    return this.#positions.map((positions, layer) => ({
      keys: this.keys(layer),
      values: this.values(layer),
      positions,
      offsets,
    }));
  }

  async read(): Promise<readonly LayerEntries[]> {
    return this.layers();
  }

  /** Nothing to free: memory goes when nobody holds it. */
  [Symbol.dispose](): void {}

  #held(buffer: Float32Array | undefined): Float32Array {
    return (buffer ?? new Float32Array(0)).subarray(0, this.#geometry.kvHeads * this.#length * this.#geometry.headDim);
  }

  #grow(capacity: number): void {
    const { kvHeads, headDim } = this.#geometry;
    const larger = (buffer: Float32Array) => {
      const room = new Float32Array(kvHeads * capacity * headDim);
      room.set(this.#held(buffer));
      return room;
    };
    this.#keys = this.#keys.map(larger);
    this.#values = this.#values.map(larger);
    this.#capacity = capacity;
  }
}

/** As `map`, but what is the same before is the same after. */
function eachOnce<T>(values: readonly T[], change: (value: T) => T): readonly T[] {
  const changed = new Map([...new Set(values)].map((value) => [value, change(value)]));
  return values.map((value) => changed.get(value) ?? value);
}
