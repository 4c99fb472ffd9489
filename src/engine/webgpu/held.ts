/**
 * What caches hold, on the device: brought there when a cache is first decoded on, and from then on appended to where it is. Kept
 * entries are shared by forks, as their caches share them; pages come back when the entries that they are copies of are collected.
 */
import type { GpuArrays } from "../../../kernels/gpu/arrays.ts";
import type { Entries, MoveRows } from "../../../kernels/move-rows/index.ts";
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import type { KvCache } from "../../cache/cache.ts";
import { type CacheGeometry, headLength, type LayerEntries } from "../../cache/layer.ts";
import { PagePool } from "./pages.ts";
import { tailEntries } from "./tail-entries.ts";

/** Each KV head's pages in one layer, and how many entries they hold. */
export interface HeadPages {
  readonly pages: number[][];
  readonly counts: number[];
}

/** A sequence on the device. */
export interface HeldSequence {
  /** What its cache kept, of each layer. */
  readonly kept: readonly HeadPages[];
  /** What came after, of each layer. */
  readonly added: readonly HeadPages[];
}

export class HeldEntries implements Disposable {
  readonly pools: readonly PagePool[];
  readonly #arrays: GpuArrays;
  readonly #move: MoveRows;
  readonly #geometry: CacheGeometry;
  readonly #kept = new WeakMap<LayerEntries, HeadPages>();
  /** By `cache.layout`. */
  readonly #added = new WeakMap<object, readonly HeadPages[]>();
  readonly #gone = new FinalizationRegistry<() => void>((release) => release());

  constructor(arrays: GpuArrays, move: MoveRows, geometry: CacheGeometry) {
    this.#arrays = arrays;
    this.#geometry = geometry;
    this.#move = move;
    this.pools = Array.from({ length: geometry.layers }, () => new PagePool(arrays, geometry.headDim));
  }

  /** The cache on the device. */
  of(cache: KvCache): HeldSequence {
    const kept = cache.layers.map((entries, layer) => this.#keptOf(layer, entries));
    const added = this.#added.get(cache.layout) ?? this.#begin(cache);
    const had = added[0]?.counts[0] ?? 0;
    // An eviction may have taken the tail's tokens into the slots of others, and with them out of the tail.
    const known = had > cache.tail.length ? 0 : had;
    for (const heads of added) heads.counts.fill(known);
    if (known < cache.tail.length) this.#bringTail(cache, added, known);
    return { kept, added };
  }

  /** The slots of the next `count` tokens of a layer, [KH, count], which thereby count as held. */
  extend(layer: number, heads: HeadPages, count: number): Uint32Array<ArrayBuffer> {
    this.#makeRoom(layer, heads, count);
    const slots = new Uint32Array(heads.pages.length * count);
    for (const [head, pages] of heads.pages.entries()) {
      const held = heads.counts[head] ?? 0;
      for (let i = 0; i < count; i++) slots[head * count + i] = slotOf(pages, held + i);
      heads.counts[head] = held + count;
    }
    return slots;
  }

  /** Moves entries, rows [KH, count] of a source, into slots. */
  place(layer: number, source: Entries, slots: Uint32Array<ArrayBuffer>): void {
    const pool = this.pools[layer];
    if (pool === undefined || slots.length === 0) return;
    using rows = this.#arrays.numbers(Uint32Array.from(slots.keys()), "rows");
    using to = this.#arrays.numbers(slots, "slots");
    this.#move(source, { rows, to, first: 0, count: slots.length }, pool.entries);
  }

  #keptOf(layer: number, entries: LayerEntries): HeadPages {
    const known = this.#kept.get(entries);
    if (known !== undefined && entries.reused === undefined) return known;
    const { kvHeads } = this.#geometry;
    const counts = Array.from({ length: kvHeads }, (_, head) => headLength(entries, head));
    const heads = known ?? this.#empty(layer, entries);
    for (const [head, count] of counts.entries()) heads.counts[head] = count;
    this.#makeRoom(layer, heads, 0);
    const slots = heads.pages.flatMap((pages, head) =>
      Array.from({ length: counts[head] ?? 0 }, (_, i) => slotOf(pages, i)),
    );
    this.#bring(layer, entries, Uint32Array.from(slots));
    this.#kept.set(entries, heads);
    return heads;
  }

  #begin(cache: KvCache): readonly HeadPages[] {
    const added = cache.layers.map((_, layer) => this.#empty(layer, cache.layout));
    this.#added.set(cache.layout, added);
    return added;
  }

  /** Pages that live as long as what they are of. */
  #empty(layer: number, owner: object): HeadPages {
    const { kvHeads } = this.#geometry;
    const heads: HeadPages = {
      pages: Array.from({ length: kvHeads }, () => []),
      counts: new Array<number>(kvHeads).fill(0),
    };
    const pool = this.pools[layer];
    this.#gone.register(owner, () => pool?.release(heads.pages.flat()));
    return heads;
  }

  /** As many pages as the heads' entries take with `count` more of each. */
  #makeRoom(layer: number, heads: HeadPages, count: number): void {
    for (const [head, pages] of heads.pages.entries()) {
      const wanted = Math.ceil(((heads.counts[head] ?? 0) + count) / PAGE);
      const missing = wanted - pages.length;
      if (missing > 0) pages.push(...(this.pools[layer]?.take(missing) ?? []));
    }
  }

  /** Tokens of the tail that were not decoded here. */
  #bringTail(cache: KvCache, added: readonly HeadPages[], known: number): void {
    for (const [layer, heads] of added.entries()) {
      const slots = this.extend(layer, heads, cache.tail.length - known);
      this.#bring(layer, tailEntries(cache, layer, known), slots);
    }
  }

  #bring(
    layer: number,
    { keys, values, positions }: Pick<LayerEntries, "keys" | "values" | "positions">,
    slots: Uint32Array<ArrayBuffer>,
  ): void {
    const { headDim } = this.#geometry;
    using k = this.#arrays.of({ data: keys, dims: [slots.length, headDim] }, "keys");
    using v = this.#arrays.of({ data: values, dims: [slots.length, headDim] }, "values");
    using p = this.#arrays.numbers(Uint32Array.from(positions), "positions");
    this.place(layer, { keys: k, values: v, positions: p }, slots);
  }

  [Symbol.dispose](): void {
    for (const pool of this.pools) pool[Symbol.dispose]();
  }
}

const slotOf = (pages: readonly number[], entry: number): number =>
  (pages[Math.floor(entry / PAGE)] ?? 0) * PAGE + (entry % PAGE);
