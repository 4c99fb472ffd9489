/** Pages of cached entries on the device, a pool for each layer, and how entries come into them, move about, and are brought out. */
import type { GpuArrays } from "../../../kernels/gpu/arrays.ts";
import type { Entries, MoveRows, MoveWithin } from "../../../kernels/move-rows/index.ts";
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import type { CacheGeometry } from "../../cache/layer.ts";
import { CompactStore } from "./compact-store.ts";
import { PagePool } from "./pages.ts";

/** Each KV head's pages in one layer, and how many entries they hold: all full but the last. */
export interface HeadPages {
  readonly pages: number[][];
  readonly counts: number[];
}

export class PageStore implements Disposable {
  readonly geometry: CacheGeometry;
  readonly arrays: GpuArrays;
  readonly pools: readonly PagePool[];
  /** Entries that are in no pages: those in a compact form. */
  readonly compact: CompactStore;
  readonly #move: MoveRows;
  readonly #within: MoveWithin;

  constructor(arrays: GpuArrays, geometry: CacheGeometry, move: MoveRows, within: MoveWithin) {
    this.arrays = arrays;
    this.geometry = geometry;
    this.pools = Array.from({ length: geometry.layers }, () => new PagePool(arrays, geometry.headDim));
    this.compact = new CompactStore(arrays, geometry);
    this.#move = move;
    this.#within = within;
  }

  /** Pages of all layers, none of which holds anything. */
  empty(): readonly HeadPages[] {
    const { kvHeads } = this.geometry;
    const heads = Array.from({ length: kvHeads }, (_, head) => head);
    return this.pools.map(() => ({ pages: heads.map(() => []), counts: heads.map(() => 0) }));
  }

  /** Makes the heads of a layer hold so many entries, whose slots come back head after head; those that were there stay. */
  hold(layer: number, { pages, counts }: HeadPages, wanted: readonly number[]): Uint32Array<ArrayBuffer> {
    for (const [head, own] of pages.entries()) {
      counts[head] = wanted[head] ?? 0;
      const missing = Math.ceil((counts[head] ?? 0) / PAGE) - own.length;
      if (missing > 0) own.push(...this.#pool(layer).take(missing));
    }
    return slotsOf({ pages, counts });
  }

  /** The slots of the next `count` tokens of a layer, [KH, count], which thereby count as held. */
  extend(layer: number, heads: HeadPages, count: number): Uint32Array<ArrayBuffer> {
    const before = heads.counts.slice();
    this.hold(
      layer,
      heads,
      before.map((held) => held + count),
    );
    return Uint32Array.from(before.flatMap((held, head) => range(count).map((i) => slotAt(heads, head, held + i))));
  }

  /** Gives pages back; those that a head still needs for its entries stay. */
  trim(layer: number, { pages, counts }: HeadPages, least = 0): void {
    for (const [head, own] of pages.entries())
      this.#pool(layer).release(own.splice(Math.max(least, Math.ceil((counts[head] ?? 0) / PAGE))));
  }

  release(all: readonly HeadPages[]): void {
    for (const [layer, { pages }] of all.entries()) this.#pool(layer).release(pages.flat());
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
    this.#move(from, { rows: sources, to: targets, first: 0, count: rows.length }, to);
  }

  /** Copies entries of a layer into other slots, none of which is a source. */
  shift(layer: number, sources: Uint32Array<ArrayBuffer>, slots: Uint32Array<ArrayBuffer>): void {
    if (sources.length === 0) return;
    using rows = this.arrays.numbers(sources, "rows");
    using to = this.arrays.numbers(slots, "slots");
    this.#within(this.#pool(layer).entries, rows, to, sources.length);
  }

  /** A copy of some slots' entries, [slots, d]; whoever asked for it frees it. */
  picked(layer: number, slots: Uint32Array<ArrayBuffer>): Entries {
    const { headDim } = this.geometry;
    const array = (label: string, ...dims: readonly number[]) => this.arrays.empty(label, ...dims);
    const copy = {
      keys: array("picked keys", slots.length, headDim),
      values: array("picked values", slots.length, headDim),
      positions: array("picked positions", slots.length),
    };
    this.copyRows(this.#pool(layer).entries, slots, copy, Uint32Array.from(slots.keys()));
    return copy;
  }

  #pool(layer: number): PagePool {
    const pool = this.pools[layer];
    if (pool === undefined) throw new RangeError(`no layer ${layer}`);
    return pool;
  }

  [Symbol.dispose](): void {
    for (const pool of this.pools) pool[Symbol.dispose]();
  }
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The slots of all entries, head after head. */
export const slotsOf = (heads: HeadPages): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(heads.counts.flatMap((count, head) => range(count).map((i) => slotAt(heads, head, i))));

/** The slot of a head's i-th entry. */
export const slotAt = ({ pages }: HeadPages, head: number, i: number): number =>
  (pages[head]?.[Math.floor(i / PAGE)] ?? 0) * PAGE + (i % PAGE);

export function freeEntries({ keys, values, positions }: Entries): void {
  for (const array of [keys, values, positions]) array[Symbol.dispose]();
}
