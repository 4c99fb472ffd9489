/** What is known of a cache's entries without their numbers: how many there are, and where in the text they come from. */
import { KvError } from "../error.ts";
import type { CompactEntries } from "./compact/entries.ts";
import { type CacheGeometry, headLength, type Places } from "./layer.ts";
import { type Origins, originsOf } from "./origins.ts";
import type { Tail } from "./tail.ts";

export interface Inventory {
  readonly geometry: CacheGeometry;
  readonly layers: readonly Places[];
  /** Entries of the last tokens, which every head holds. */
  readonly tail: Pick<Tail, "length">;
  /** The position of the next token. */
  readonly length: number;
  /** Entries that are not in `layers`, older ones for the most part. */
  readonly compact: Pick<CompactEntries, "layers"> | null;
  /** Where entries come from whose positions are packed; null where positions are true. */
  readonly origins: Origins | null;
}

/** Tokens seen so far, kept or not. */
export const tokensSeen = ({ length, origins }: Pick<Inventory, "length" | "origins">): number =>
  origins === null ? length : origins.prompt + length - origins.next;

/** Entries held, [layer][kvHead]. */
export const lengthsOf = ({ geometry, layers, tail, compact }: Inventory): readonly (readonly number[])[] =>
  layers.map((layer, l) =>
    Array.from({ length: geometry.kvHeads }, (_, h) => {
      const older = compact?.layers[l];
      return (older === undefined ? 0 : headLength(older, h)) + headLength(layer, h) + tail.length;
    }),
  );

/** Positions of one head's fp32 entries as they lie, the tail's last. */
export function positionsOf(
  { layers, tail, length }: Pick<Inventory, "layers" | "tail" | "length">,
  layer: number,
  kvHead: number,
): Int32Array {
  const entries = layers[layer];
  const kept = entries?.positions.subarray(entries.offsets[kvHead], entries.offsets[kvHead + 1]) ?? new Int32Array(0);
  const all = new Int32Array(kept.length + tail.length);
  all.set(kept);
  for (let i = 0; i < tail.length; i++) all[kept.length + i] = length - tail.length + i;
  return all;
}

/** Calls `each` for every KV head, with the positions of its fp32 entries as they lie: [layer][kvHead]. */
export const everyHead = <T>(
  inventory: Omit<Inventory, "compact" | "origins">,
  each: (positions: Int32Array, layer: number, kvHead: number) => T,
): readonly (readonly T[])[] =>
  inventory.layers.map((_, layer) =>
    Array.from({ length: inventory.geometry.kvHeads }, (_, kvHead) =>
      each(positionsOf(inventory, layer, kvHead), layer, kvHead),
    ),
  );

/** Positions of all that one head holds, ascending. @throws KvError `invalid_option` for a layer or head that is not there */
export function positionsHeld(inventory: Inventory, layer: number, kvHead: number): Int32Array {
  const { geometry, layers, compact } = inventory;
  if (layers[layer] === undefined || !Number.isInteger(kvHead) || kvHead < 0 || kvHead >= geometry.kvHeads) {
    const allowed = `a layer below ${geometry.layers} and a KV head below ${geometry.kvHeads}`;
    throw new KvError({ code: "invalid_option", path: ["cache", "positions"], found: [layer, kvHead], allowed });
  }
  const { positions, offsets } = compact?.layers[layer] ?? { positions: new Int32Array(0), offsets: [] };
  const older = positions.subarray(offsets[kvHead] ?? 0, offsets[kvHead + 1] ?? 0);
  return Int32Array.from([...older, ...positionsOf(inventory, layer, kvHead)]).sort();
}

/** Places in the text of all that one head holds, ascending. @throws KvError `invalid_option` for a layer or head that is not there */
export function originsHeld(inventory: Inventory, layer: number, kvHead: number): Int32Array {
  const positions = positionsHeld(inventory, layer, kvHead);
  const { origins } = inventory;
  return origins === null ? positions : originsOf(origins, layer, kvHead, positions);
}
