/** Heads that hold too much, one by one. */
import type { CachePlaces, Evictions } from "../cache/evict.ts";
import { positionsOf } from "../cache/inventory.ts";
import { headLength } from "../cache/layer.ts";

/** What one KV head of one layer holds. */
export interface HeldEntries {
  readonly layer: number;
  readonly kvHead: number;
  /** True positions, in no order: [count]. */
  readonly positions: Int32Array;
  /** How many of them are above the budget, >= 1. */
  readonly excess: number;
}

/** Asks which places go, of every head that holds more than `target` entries. */
export const excessOfHeads = (
  stored: CachePlaces,
  target: number,
  choose: (held: HeldEntries) => readonly number[],
): Evictions =>
  stored.layers.map((entries, layer) =>
    Array.from({ length: stored.geometry.kvHeads }, (_, kvHead) => {
      const excess = headLength(entries, kvHead) + stored.tail.length - target;
      return excess > 0 ? choose({ layer, kvHead, positions: positionsOf(stored, layer, kvHead), excess }) : [];
    }),
  );
