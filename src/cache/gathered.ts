import type { Contents } from "./contents.ts";
import type { Held } from "./decider.ts";
import type { Picked } from "./device-entries.ts";
import type { CacheEntries } from "./evict.ts";
import { headLength } from "./layer.ts";

/** A cache as policies see it. */
export const heldBy = (contents: Contents): Held => ({
  ...contents,
  picked: (...which) => (contents.device === null ? picked(contents, ...which) : contents.device.picked(...which)),
});

function picked(
  entries: CacheEntries,
  layer: number,
  kvHeads: readonly number[],
  places: readonly ArrayLike<number>[],
): Picked {
  const { headDim } = entries.geometry;
  const [first = []] = places;
  const side = (of: 0 | 1) => {
    const data = new Float32Array(kvHeads.length * first.length * headDim);
    for (const [i, head] of kvHeads.entries())
      data.set(gathered(entries, layer, head, places[i] ?? [], of), i * first.length * headDim);
    return { data, dims: [kvHeads.length, first.length, headDim] };
  };
  return { keys: side(0), values: side(1), [Symbol.dispose]: () => undefined };
}

/** Some entries' keys (side 0) or values (1), of one KV head, in the given order of places: [places, d]. */
export function gathered(
  { geometry, layers, tail }: CacheEntries,
  layer: number,
  kvHead: number,
  places: ArrayLike<number>,
  side: 0 | 1,
): Float32Array {
  const { kvHeads, headDim } = geometry;
  const rows = new Float32Array(places.length * headDim);
  const entries = layers[layer];
  if (entries === undefined) return rows;
  const kept = headLength(entries, kvHead);
  const source = side === 0 ? entries.keys : entries.values;
  for (let i = 0; i < places.length; i++) {
    const place = places[i] ?? 0;
    const inTail = (((place - kept) * geometry.layers + layer) * 2 + side) * kvHeads + kvHead; // rows are [L, 2, KH, d]
    const [data, row] = place < kept ? [source, (entries.offsets[kvHead] ?? 0) + place] : [tail.data, inTail];
    rows.set(data.subarray(row * headDim, (row + 1) * headDim), i * headDim);
  }
  return rows;
}
