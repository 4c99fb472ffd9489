import type { LayerEntries } from "./layer.ts";

/**
 * Turns keys so that each head's entries, in the order of their true positions, stand side by side just before position `length`:
 * attention then sees distances within the cache. Attention knows distances only, so the last tokens, which stand side by side anyway,
 * stay as they are; after a window has slid by one, only its sinks follow by one.
 *
 * Changes the keys, which nobody else may hold, and `turned`.
 *
 * @param turn turns keys [any, d] by so many positions, in place
 * @returns the same entries, `turned` among them
 */
export function pack(
  entries: LayerEntries,
  length: number,
  headDim: number,
  turn: (keys: Float32Array, by: number) => void,
): LayerEntries {
  const { keys, positions, offsets } = entries;
  const turned = entries.turned ?? positions.slice();
  for (let head = 0; head < offsets.length - 1; head++) {
    const [from = 0, to = 0] = offsets.subarray(head, head + 2);
    const own = positions.subarray(from, to);
    for (const [rank, position] of own.toSorted().entries()) {
      const wanted = length - (to - from) + rank;
      if (position === wanted) break; // from here on all of them are the last tokens
      const slot = from + own.indexOf(position);
      const by = wanted - (turned[slot] ?? 0);
      if (by !== 0) turn(keys.subarray(slot * headDim, (slot + 1) * headDim), by);
      turned[slot] = wanted;
    }
  }
  return entries.turned === undefined ? { ...entries, turned } : entries;
}
