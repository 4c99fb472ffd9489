/**
 * Eviction while tokens are generated: which entries go, and what becomes of their memory.
 *
 * A cache's first eviction copies what stays, of the prompt and of the tail, into memory of its own that is exactly as long. From
 * then on a token usually comes for each that goes, and takes over its slot: nothing is allocated, and nothing copied but the
 * token. A head's entries are then in no order, which attention does not see. Where heads differ in how many go, what stays is
 * copied again. In SmolLM2-135M at 128 entries a head, taking over costs 0.09 ms a token, copying 0.75 (2026-11).
 */
import { KvError } from "../error.ts";
import {
  type CacheGeometry,
  copyEntries,
  headLength,
  type LayerEntries,
  type LayerPlaces,
  offsetsOf,
} from "./layer.ts";
import type { Tail } from "./tail.ts";

/** Which entries a cache has: those of `layers`, and the tail's, which are its last tokens. */
export interface CachePlaces {
  readonly geometry: CacheGeometry;
  readonly layers: readonly LayerPlaces[];
  readonly tail: Pick<Tail, "length">;
  /** Tokens seen so far. */
  readonly length: number;
}

/** The same with their numbers, in memory. */
export interface CacheEntries extends CachePlaces {
  readonly layers: readonly LayerEntries[];
  readonly tail: Tail;
}

/** Places that go, ascending: [layer][kvHead]. */
export type Evictions = readonly (readonly (readonly number[])[])[];

/** What goes, each head's places ascending; null for nothing at all. @throws KvError `wrong_shape` for places that are not there */
export function evictions(gone: Evictions, { layers, tail, geometry }: CachePlaces): Evictions | null {
  const found = [gone.length, ...new Set(gone.map(({ length }) => length))];
  if (gone.length !== layers.length || gone.some(({ length }) => length !== geometry.kvHeads)) {
    const allowed = `[layer][kvHead], ${geometry.kvHeads} KV heads of ${geometry.layers} layers`;
    throw new KvError({ code: "wrong_shape", path: ["evict"], found, allowed });
  }
  if (gone.every((heads) => heads.every(({ length }) => length === 0))) return null;
  return layers.map((entries, layer) =>
    (gone[layer] ?? []).map((places, head) => ascending(places, headLength(entries, head) + tail.length)),
  );
}

function ascending(places: readonly number[], count: number): readonly number[] {
  const sorted = places.length > 1 ? places.toSorted((a, b) => a - b) : places;
  if (sorted.every((place, i) => Number.isInteger(place) && place > (sorted[i - 1] ?? -1) && place < count)) {
    return sorted;
  }
  const allowed = `places in [0, ${count}), each at most once`;
  throw new KvError({ code: "wrong_shape", path: ["evict"], found: places, allowed });
}

/** Whether every head loses as many entries as the tail brings, so that these fit where those lay. */
export const comesForGoes = (gone: Evictions, { tail }: CachePlaces): boolean =>
  gone.every((heads) => heads.every(({ length }) => length === tail.length));

/** The tail's entries take over the slots of those that go. Changes `layers`: nobody else may hold them. */
export function takeOver({ geometry, layers, tail, length }: CacheEntries, gone: Evictions): void {
  for (const [layer, entries] of layers.entries()) {
    for (let head = 0; head < geometry.kvHeads; head++) {
      const held = headLength(entries, head);
      const places = gone[layer]?.[head] ?? [];
      let row = 0;
      for (const place of places) {
        if (place >= held) break;
        while (places.includes(held + row)) row++;
        const slot = (entries.offsets[head] ?? 0) + place;
        copyRow(geometry, tail, row, layer, head, entries, slot);
        takeIn(entries, slot, length - tail.length + row);
        row++;
      }
    }
  }
}

/** What stays, the tail included, in new memory. */
export function compacted({ geometry, layers, tail, length }: CacheEntries, gone: Evictions): readonly LayerEntries[] {
  const { headDim } = geometry;
  return layers.map((entries, layer) => {
    const places = gone[layer] ?? [];
    const offsets = offsetsOf(places.map((ofHead, head) => headLength(entries, head) + tail.length - ofHead.length));
    const total = offsets.at(-1) ?? 0;
    const [keys, values] = [new Float32Array(total * headDim), new Float32Array(total * headDim)];
    const turned = entries.turned === undefined ? {} : { turned: new Int32Array(total) };
    const made: LayerEntries = { keys, values, positions: new Int32Array(total), offsets, reused: true, ...turned };
    for (const [head, ofHead] of places.entries()) {
      const [from = 0, to = 0] = entries.offsets.subarray(head, head + 2);
      let slot = offsets[head] ?? 0;
      let next = from;
      for (const place of [...ofHead.filter((place) => from + place < to), to - from]) {
        copyEntries(entries, [next, from + place], made, slot, headDim);
        slot += from + place - next;
        next = from + place + 1;
      }
      for (let row = 0; row < tail.length; row++) {
        if (ofHead.includes(to - from + row)) continue;
        copyRow(geometry, tail, row, layer, head, made, slot);
        takeIn(made, slot++, length - tail.length + row);
      }
    }
    return made;
  });
}

/** Writes down that a slot belongs to the token at a position, its key rotated to it. */
function takeIn({ positions, turned }: LayerEntries, slot: number, position: number): void {
  positions[slot] = position;
  if (turned !== undefined) turned[slot] = position;
}

/** One head's part of one row of the tail, [L, 2, KH, d], goes to `slot`. */
function copyRow(
  { layers, kvHeads, headDim }: CacheGeometry,
  { data }: Tail,
  row: number,
  layer: number,
  head: number,
  into: LayerEntries,
  slot: number,
): void {
  const key = (((row * layers + layer) * 2 + 0) * kvHeads + head) * headDim;
  const value = key + kvHeads * headDim;
  into.keys.set(data.subarray(key, key + headDim), slot * headDim);
  into.values.set(data.subarray(value, value + headDim), slot * headDim);
}
