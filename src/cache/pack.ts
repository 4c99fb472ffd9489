import type { LayerPlaces } from "./layer.ts";

/** A key that is to be turned: its slot in the layer, and by how many positions. */
export interface Turn {
  readonly slot: number;
  readonly by: number;
}

/**
 * How keys are to be turned so that each head's entries, in the order of their true positions, stand side by side just before position
 * `length`: attention then sees distances within the cache. Attention knows distances only, so the last tokens, which stand side by side
 * anyway, stay as they are; after a window has slid by one, only its sinks follow by one.
 *
 * @returns the turns, and where each key then stands: a list that was there before is changed
 */
export function packing(
  { positions, offsets, ...entries }: LayerPlaces,
  length: number,
): { readonly turned: Int32Array; readonly turns: readonly Turn[] } {
  const turned = entries.turned ?? positions.slice();
  const turns: Turn[] = [];
  for (let head = 0; head < offsets.length - 1; head++) {
    const [from = 0, to = 0] = offsets.subarray(head, head + 2);
    const own = positions.subarray(from, to);
    for (const [rank, position] of own.toSorted().entries()) {
      const wanted = length - (to - from) + rank;
      if (position === wanted) break; // from here on all of them are the last tokens
      const slot = from + own.indexOf(position);
      const by = wanted - (turned[slot] ?? 0);
      if (by !== 0) turns.push({ slot, by });
      turned[slot] = wanted;
    }
  }
  return { turned, turns };
}
