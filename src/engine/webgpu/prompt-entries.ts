/**
 * A prompt's entries on the device. Where no room is left over, as after prefill, scores read them where they lie; else they read a copy
 * without the gaps.
 */
import type { Entries } from "../../../kernels/move-rows/index.ts";
import { onDevice } from "../../cache/contents.ts";
import type { LayerEntries, Places } from "../../cache/layer.ts";
import type { PromptEntries } from "../../cache/prompt-entries.ts";
import { layersOf, noPlaces, type PromptPlaces, rewound, withOnly, withTokens } from "../../cache/prompt-places.ts";
import type { Selection } from "../../cache/selection.ts";
import { freedWith } from "./forgotten.ts";
import { copied, entriesOf, gathered, type HeadArrays, headArrays, rowsOf } from "./head-arrays.ts";
import type { HeadPages } from "./head-pages.ts";
import { KeptPages } from "./kept-pages.ts";
import type { PageStore } from "./page-store.ts";
import { PagedEntries } from "./paged-entries.ts";

/** What is on the device, until the last who shares it lets go. */
interface Held {
  arrays: HeadArrays;
  /** The same without gaps, once somebody asked. */
  dense: HeadArrays | null;
  users: number;
}

export class PromptOnDevice implements PromptEntries {
  readonly #store: PageStore;
  readonly #held: Held;
  readonly #free: () => void;
  #at: PromptPlaces;

  /** @param room entries per head to make room for at once; more find room when they come */
  constructor(store: PageStore, room: number, arrays = headArrays(store, room), at = noPlaces(store.geometry)) {
    const held: Held = { arrays, dense: null, users: 1 };
    this.#store = store;
    this.#held = held;
    this.#at = at;
    this.#free = freedWith(this, () => {
      held.arrays[Symbol.dispose]();
      held.dense?.[Symbol.dispose]();
    });
  }

  get length(): number {
    return this.#at.length;
  }
  get position(): number {
    return this.#at.position;
  }
  get places(): readonly Places[] {
    return layersOf(this.#at, this.#store.geometry.kvHeads);
  }
  /** Rows of each head's part. */
  get capacity(): number {
    return this.#held.arrays.capacity;
  }
  /** Bytes taken for keys and values. */
  get bytes(): number {
    return this.#held.arrays.bytes;
  }

  isOn(store: PageStore): boolean {
    return store === this.#store;
  }

  /** A layer as it lies: [KH, capacity, d]. */
  layer(layer: number): Entries {
    return entriesOf(this.#held.arrays, layer);
  }

  stored(layer: number): Pick<Entries, "keys" | "values"> {
    const held = this.#held;
    if (this.length !== this.capacity) held.dense ??= copied(this.#store, held.arrays, this.length, this.length);
    const { keys, values } = entriesOf(held.dense ?? held.arrays, layer);
    return { keys, values };
  }

  /** Makes room for `count` tokens that a run is about to bring. */
  expect(count: number): void {
    const wanted = this.length + count;
    if (wanted > this.capacity) {
      const room = Math.max(2 * this.capacity, wanted);
      this.#become(copied(this.#store, this.#held.arrays, this.length, room), this.#at);
    } else this.#become(this.#held.arrays, this.#at);
  }

  /** The run has brought them. */
  took(count: number): void {
    this.#at = withTokens(this.#at, this.#store.geometry.kvHeads, count);
  }

  retain(selection: Selection): void {
    const at = withOnly(this.#at, this.#store.geometry, selection);
    this.#become(gathered(this.#store, this.#held.arrays, selection), at);
  }

  rewind(length: number): void {
    this.#become(this.#held.arrays, rewound(this.#at, length));
  }

  copy(room: number): PromptOnDevice {
    const capacity = this.length + room;
    return new PromptOnDevice(
      this.#store,
      capacity,
      copied(this.#store, this.#held.arrays, this.length, capacity),
      this.#at,
    );
  }

  layers(): readonly LayerEntries[] {
    throw onDevice("context");
  }

  async read(): Promise<readonly LayerEntries[]> {
    const { read } = this.#store.arrays;
    const layers: LayerEntries[] = [];
    for (const [layer, places] of this.places.entries()) {
      const { keys, values } = this.stored(layer);
      layers.push({ keys: (await read(keys)).data, values: (await read(values)).data, ...places });
    }
    return layers;
  }

  readonly onDevice = (selection: Selection | null): PagedEntries =>
    new PagedEntries(
      this.#store,
      selection === null ? KeptPages.whole(this.#store, this) : KeptPages.of(this.#store, this.inPages(selection)),
    );

  /** Copies the selected entries, or all, into pages. */
  inPages(selection: Selection | null): readonly HeadPages[] {
    const { kvHeads } = this.#store.geometry;
    const all = Int32Array.from({ length: this.length }, (_, i) => i);
    return this.#store.filled((pages) => {
      for (const [layer, heads] of pages.entries()) {
        const rows = selection?.[layer] ?? new Array<Int32Array>(kvHeads).fill(all);
        const counts = rows.map((own) => own.length);
        const slots = this.#store.hold(layer, heads, counts);
        this.#store.place(layer, this.layer(layer), rowsOf(this.#held.arrays, rows), slots);
      }
    });
  }

  /** For somebody who reads the entries later: each who shares them disposes them. */
  share(): this {
    this.#held.users++;
    return this;
  }

  #become(arrays: HeadArrays, at: PromptPlaces): void {
    const held = this.#held;
    held.dense?.[Symbol.dispose]();
    held.dense = null;
    if (arrays !== held.arrays) held.arrays[Symbol.dispose]();
    held.arrays = arrays;
    this.#at = at;
  }

  [Symbol.dispose](): void {
    this.#held.users--;
    if (this.#held.users === 0) this.#free();
  }
}
