/** Caches whose entries were not on this device before, such as one that was loaded or that another engine made: they are brought here. */
import type { KvCache } from "../../cache/cache.ts";
import { gathered } from "../../cache/gathered.ts";
import { headLength, type LayerEntries } from "../../cache/layer.ts";
import { KeptPages } from "./kept-pages.ts";
import type { PageStore } from "./page-store.ts";
import { PagedEntries } from "./paged-entries.ts";

/** The cache's entries on the device, where they are from now on. */
export async function adopted(store: PageStore, cache: KvCache): Promise<PagedEntries> {
  const { device } = cache;
  if (device instanceof PagedEntries && device.store === store) return device;
  using copy = device === null ? null : await cache.inMemory();
  const entries = uploaded(store, copy ?? cache);
  device?.[Symbol.dispose]();
  cache.moveTo(entries);
  return entries;
}

function uploaded(store: PageStore, cache: KvCache): PagedEntries {
  // Each is the result's own, so that what was made goes if what follows finds no room.
  using entries = new DisposableStack();
  const kept = store.filled((pages) => {
    for (const [layer, heads] of pages.entries()) {
      const own = layerOf(cache, layer);
      const counts = heads.counts.map((_, head) => headLength(own, head));
      bring(store, layer, own, store.hold(layer, heads, counts));
    }
  });
  entries.defer(() => store.release(kept));
  const added = store.filled((pages) => {
    for (const [layer, heads] of pages.entries())
      bring(store, layer, tailOf(cache, layer), store.extend(layer, heads, cache.tail.length));
  });
  entries.defer(() => store.release(added));
  const compact = cache.compact === null ? null : store.compact.hold(cache.compact);
  entries.move();
  return new PagedEntries(store, KeptPages.of(store, kept), added, compact);
}

function layerOf({ layers }: KvCache, layer: number): LayerEntries {
  const entries = layers[layer];
  if (entries === undefined) throw new RangeError(`no layer ${layer}`);
  return entries;
}

type Numbers = Pick<LayerEntries, "keys" | "values" | "positions">;

function bring(
  store: PageStore,
  layer: number,
  { keys, values, positions }: Numbers,
  slots: Uint32Array<ArrayBuffer>,
): void {
  const dims = [slots.length, store.geometry.headDim];
  const { arrays } = store;
  using k = arrays.of({ data: keys, dims }, "keys");
  using v = arrays.of({ data: values, dims }, "values");
  using p = arrays.numbers(Uint32Array.from(positions), "positions");
  store.place(layer, { keys: k, values: v, positions: p }, Uint32Array.from(slots.keys()), slots);
}

/** What a layer holds of the tail, head after head. */
function tailOf(cache: KvCache, layer: number): Numbers {
  const { geometry, tail, length } = cache;
  const { kvHeads, headDim } = geometry;
  const part = tail.length * headDim;
  const [keys, values] = [new Float32Array(kvHeads * part), new Float32Array(kvHeads * part)];
  for (let head = 0; head < kvHeads; head++) {
    const kept = headLength(layerOf(cache, layer), head);
    const places = Array.from({ length: tail.length }, (_, row) => kept + row);
    keys.set(gathered(cache, layer, head, places, 0), head * part);
    values.set(gathered(cache, layer, head, places, 1), head * part);
  }
  const positions = Int32Array.from(
    { length: kvHeads * tail.length },
    (_, i) => length - tail.length + (i % tail.length),
  );
  return { keys, values, positions };
}
