/** A cache's entries on the device: what was kept, in pages and in a compact form, which forks share, and pages of what came after. */
import type { DeviceEntries, Numbers, Picked, Rearranged } from "../../cache/device-entries.ts";
import { headLength } from "../../cache/layer.ts";
import type { Turn } from "../../cache/pack.ts";
import type { CompactOnDevice } from "./compact-store.ts";
import { freedWith } from "./forgotten.ts";
import { type HeadPages, slotAt, slotsOf } from "./head-pages.ts";
import { KeptPages, pageBytes } from "./kept-pages.ts";
import { freeEntries, type PageStore } from "./page-store.ts";

export class PagedEntries implements DeviceEntries {
  readonly store: PageStore;
  /** What came after, of each layer: its counts may be ahead of the cache's while a step is under way. */
  readonly added: readonly HeadPages[];
  /** Older entries in their form; null where all are in pages. */
  readonly compact: CompactOnDevice | null;
  readonly #kept: KeptPages;
  readonly #free: () => void;

  /** Takes all over. */
  constructor(store: PageStore, kept: KeptPages, added = store.empty(), compact: CompactOnDevice | null = null) {
    this.store = store;
    this.added = added;
    this.compact = compact;
    this.#kept = kept;
    this.#free = freedWith(this, () => {
      kept.release();
      store.release(added);
      compact?.release();
    });
  }

  /** What was kept, of each layer. */
  get kept(): readonly HeadPages[] {
    return this.#kept.layers;
  }

  /** Of pages: a cache counts its compact entries itself. */
  get bytes(): number {
    return this.#kept.bytes + pageBytes(this.added, this.store.geometry.headDim);
  }

  fork(tail: number): PagedEntries {
    const { store } = this;
    const copy = store.empty();
    for (const [layer, heads] of this.added.entries()) {
      heads.counts.fill(tail);
      const slots = store.hold(layer, copy[layer] ?? heads, heads.counts);
      store.shift(layer, slotsOf(heads), slots);
    }
    return new PagedEntries(store, this.#kept.share(), copy, this.compact?.share());
  }

  rearranged(layers: readonly Rearranged[], inPlace: boolean): PagedEntries {
    const { store } = this;
    const kept = inPlace ? this.kept : store.empty();
    for (const [layer, { before, offsets }] of layers.entries()) {
      const [old, heads] = [this.kept[layer], kept[layer]];
      if (old === undefined || heads === undefined) throw new RangeError(`no layer ${layer}`);
      const counts = heads.counts.map((_, head) => headLength({ offsets }, head));
      const sources = this.#slotsBefore(layer, old.counts, before, offsets);
      const slots = store.hold(layer, heads, counts);
      const moving = [...slots.keys()].filter((i) => sources[i] !== slots[i]);
      store.shift(layer, picks(sources, moving), picks(slots, moving));
    }
    const added = this.added.map(({ pages }) => ({
      pages: pages.map((own) => own.splice(0)),
      counts: pages.map(() => 0),
      tabled: null,
    }));
    // Room for the next token, if there was room at all.
    for (const [layer, heads] of added.entries()) store.trim(layer, heads, 1);
    const next = inPlace ? this.#kept.share() : KeptPages.of(store, kept);
    this[Symbol.dispose]();
    return new PagedEntries(store, next, added);
  }

  turn(layer: number, turns: readonly Turn[], frequencies: Float64Array): void {
    const heads = this.kept[layer];
    if (heads === undefined) throw new RangeError(`no layer ${layer}`);
    const slots = slotsOf(heads);
    this.store.turn(
      layer,
      turns.map(({ slot, by }) => ({ slot: slots[slot] ?? 0, by })),
      frequencies,
    );
  }

  picked(layer: number, kvHeads: readonly number[], places: readonly ArrayLike<number>[]): Picked {
    const counts = this.kept[layer]?.counts ?? [];
    const slots = kvHeads.flatMap((head, i) =>
      Array.from(places[i] ?? [], (place) => this.#slotOf(layer, head, counts[head] ?? 0, place)),
    );
    const entries = this.store.picked(layer, Uint32Array.from(slots));
    const dims = [kvHeads.length, slots.length / kvHeads.length, this.store.geometry.headDim];
    return {
      keys: { ...entries.keys, dims },
      values: { ...entries.values, dims },
      [Symbol.dispose]: () => freeEntries(entries),
    };
  }

  async read(tail: number): Promise<{ readonly layers: readonly Numbers[]; readonly tail: Float32Array }> {
    const { kvHeads, headDim } = this.store.geometry;
    const rows = new Float32Array(tail * this.added.length * 2 * kvHeads * headDim);
    const layers: Numbers[] = [];
    for (const [layer, heads] of this.added.entries()) {
      layers.push(await this.#numbers(layer, slotsOf(this.kept[layer] ?? heads)));
      heads.counts.fill(tail);
      const { keys, values } = await this.#numbers(layer, slotsOf(heads));
      for (const [side, data] of [keys, values].entries())
        for (let head = 0; head < kvHeads; head++)
          for (let row = 0; row < tail; row++) {
            const at = ((row * this.added.length + layer) * 2 + side) * kvHeads + head; // rows are [L, 2, KH, d]
            const from = (head * tail + row) * headDim;
            rows.set(data.subarray(from, from + headDim), at * headDim);
          }
    }
    return { layers, tail: rows };
  }

  async #numbers(layer: number, slots: Uint32Array<ArrayBuffer>): Promise<Numbers> {
    const { arrays } = this.store;
    const entries = this.store.picked(layer, slots);
    try {
      return { keys: (await arrays.read(entries.keys)).data, values: (await arrays.read(entries.values)).data };
    } finally {
      freeEntries(entries);
    }
  }

  /** Where a layer's entries lay, in their new order. */
  #slotsBefore(layer: number, counts: readonly number[], before: Float32Array, offsets: Int32Array) {
    const slots = new Uint32Array(before.length);
    for (const [head, count] of counts.entries()) {
      const [from = 0, to = 0] = offsets.subarray(head, head + 2);
      for (let i = from; i < to; i++) slots[i] = this.#slotOf(layer, head, count, before[i] ?? 0);
    }
    return slots;
  }

  /** @param count entries that the head kept; places from there on are of what came after */
  #slotOf(layer: number, head: number, count: number, place: number): number {
    const heads = place < count ? this.kept[layer] : this.added[layer];
    return heads === undefined ? 0 : slotAt(heads, head, place < count ? place : place - count);
  }

  [Symbol.dispose](): void {
    this.#free();
  }
}

const picks = (from: Uint32Array, places: readonly number[]): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(places, (i) => from[i] ?? 0);
