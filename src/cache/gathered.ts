import type { Stored } from "./evict.ts";
import { headLength } from "./layer.ts";

/** Some entries' keys (side 0) or values (1), of one KV head, in the given order of places: [places, d]. */
export function gathered(
  { geometry, layers, tail }: Stored,
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
