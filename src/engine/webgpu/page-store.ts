/** Pages of cached entries on the device, a pool for each layer, and how entries come into them, move about, and are brought out. */
import type { GpuArrays } from "../../../kernels/gpu/arrays.ts";
import type { Entries } from "../../../kernels/move-rows/index.ts";
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import type { CacheGeometry } from "../../cache/layer.ts";
import type { Turn } from "../../cache/pack.ts";
import type { CompactStore } from "./compact-store.ts";
import { type HeadPages, lastSlots, slotsOf } from "./head-pages.ts";
import { type PageParts, pageParts } from "./page-parts.ts";
import type { PageTable } from "./page-table.ts";
import type { PagePool } from "./pages.ts";
import { turnSlots } from "./turn-slots.ts";

export class PageStore implements Disposable {
  readonly geometry: CacheGeometry;
  readonly arrays: GpuArrays;
  readonly pools: readonly PagePool[];
  readonly table: PageTable;
  /** Entries that are in no pages: those in a compact form. */
  readonly compact: CompactStore;
  readonly #kernels: PageParts["kernels"];

  constructor(arrays: GpuArrays, geometry: CacheGeometry, parts = pageParts(arrays, geometry)) {
    this.arrays = arrays;
    this.geometry = geometry;
    this.pools = parts.pools;
    this.table = parts.table;
    this.compact = parts.compact;
    this.#kernels = parts.kernels;
  }

  /** One layer's pages, as those of a network that has no other. */
  onlyLayer(layer: number): PageStore {
    const geometry = { ...this.geometry, layers: 1 };
    const parts = { pools: [this.#pool(layer)], table: this.table, compact: this.compact, kernels: this.#kernels };
    return new PageStore(this.arrays, geometry, parts);
  }

  /** Pages of all layers, none of which holds anything. */
  empty(): readonly HeadPages[] {
    const { kvHeads } = this.geometry;
    const heads = Array.from({ length: kvHeads }, (_, head) => head);
    return this.pools.map(() => ({ pages: heads.map(() => []), counts: heads.map(() => 0), tabled: null }));
  }

  /** Pages of all layers that `fill` makes hold something; if it throws, none of them is taken. */
  filled(fill: (pages: readonly HeadPages[]) => void): readonly HeadPages[] {
    const pages = this.empty();
    try {
      fill(pages);
      return pages;
    } catch (fault) {
      this.release(pages);
      throw fault;
    }
  }

  /** Makes the heads of a layer hold so many entries, whose slots come back head after head; those that were there stay. */
  hold(layer: number, heads: HeadPages, wanted: readonly number[]): Uint32Array<ArrayBuffer> {
    this.#makeRoom(layer, heads, wanted);
    return slotsOf(heads);
  }

  /** The slots of the next `count` tokens of a layer, [KH, count], which thereby count as held. */
  extend(layer: number, heads: HeadPages, count: number): Uint32Array<ArrayBuffer> {
    const before = heads.counts.slice();
    this.#makeRoom(
      layer,
      heads,
      before.map((held) => held + count),
    );
    return lastSlots(heads, count);
  }

  /** Gives pages back; those that a head still needs for its entries stay. */
  trim(layer: number, heads: HeadPages, least = 0): void {
    for (const [head, own] of heads.pages.entries()) {
      const gone = own.splice(Math.max(least, Math.ceil((heads.counts[head] ?? 0) / PAGE)));
      if (gone.length > 0) this.#changed(heads);
      this.#pool(layer).release(gone);
    }
  }

  release(all: readonly HeadPages[]): void {
    for (const [layer, heads] of all.entries()) {
      this.#changed(heads);
      this.#pool(layer).release(heads.pages.flat());
    }
  }

  /** Where the table has each head's pages. */
  begins(heads: HeadPages): readonly number[] {
    heads.tabled ??= this.table.write(heads.pages);
    return heads.tabled.begins;
  }

  #changed(heads: HeadPages): void {
    if (heads.tabled !== null) this.table.release(heads.tabled);
    heads.tabled = null;
  }

  #makeRoom(layer: number, heads: HeadPages, wanted: readonly number[]): void {
    for (const [head, own] of heads.pages.entries()) {
      const count = wanted[head] ?? 0;
      const missing = Math.ceil(count / PAGE) - own.length;
      if (missing > 0) {
        own.push(...this.#pool(layer).take(missing));
        this.#changed(heads);
      }
      heads.counts[head] = count;
    }
  }

  /** Copies rows of other arrays into slots of a layer. */
  place(layer: number, source: Entries, rows: Uint32Array<ArrayBuffer>, slots: Uint32Array<ArrayBuffer>): void {
    this.copyRows(source, rows, this.#pool(layer).entries, slots);
  }

  /** Copies rows of some arrays into slots of others. */
  copyRows(from: Entries, rows: Uint32Array<ArrayBuffer>, to: Entries, slots: Uint32Array<ArrayBuffer>): void {
    if (rows.length === 0) return;
    using sources = this.arrays.numbers(rows, "rows");
    using targets = this.arrays.numbers(slots, "slots");
    this.#kernels.move(from, { rows: sources, to: targets, first: 0, count: rows.length }, to);
  }

  /** Copies entries of a layer into other slots, none of which is a source. */
  shift(layer: number, sources: Uint32Array<ArrayBuffer>, slots: Uint32Array<ArrayBuffer>): void {
    if (sources.length === 0) return;
    using rows = this.arrays.numbers(sources, "rows");
    using to = this.arrays.numbers(slots, "slots");
    this.#kernels.within(this.#pool(layer).entries, rows, to, sources.length);
  }

  /** Turns the keys in some slots by so many positions. */
  turn(layer: number, turns: readonly Turn[], frequencies: Float64Array): void {
    turnSlots(this.arrays, this.#kernels.turn, this.#pool(layer).entries.keys, turns, frequencies);
  }

  /** A copy of some slots' entries, [slots, d]; whoever asked for it frees it. */
  picked(layer: number, slots: Uint32Array<ArrayBuffer>): Entries {
    const { headDim } = this.geometry;
    using made = new DisposableStack();
    const array = (label: string, ...dims: readonly number[]) => made.use(this.arrays.empty(label, ...dims));
    const copy = {
      keys: array("picked keys", slots.length, headDim),
      values: array("picked values", slots.length, headDim),
      positions: array("picked positions", slots.length),
    };
    this.copyRows(this.#pool(layer).entries, slots, copy, Uint32Array.from(slots.keys()));
    made.move(); // whoever asked for it frees it
    return copy;
  }

  #pool(layer: number): PagePool {
    const pool = this.pools[layer];
    if (pool === undefined) throw new RangeError(`no layer ${layer}`);
    return pool;
  }

  [Symbol.dispose](): void {
    for (const part of [...this.pools, this.table]) part[Symbol.dispose]();
  }
}

export function freeEntries({ keys, values, positions }: Entries): void {
  for (const array of [keys, values, positions]) array[Symbol.dispose]();
}
