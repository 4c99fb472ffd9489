/** Which tokens a prompt's entries are of, wherever their numbers lie. */
import { KvError } from "../error.ts";
import { type CacheGeometry, offsetsOf, type Places } from "./layer.ts";
import type { Selection } from "./selection.ts";

export interface PromptPlaces {
  /** Entries held per head. */
  readonly length: number;
  /** Tokens seen so far, held or not: the true position of the next one. */
  readonly position: number;
  /** [KH, length] of each layer; all are one list while every token is held. */
  readonly positions: readonly Int32Array[];
}

export const noPlaces = ({ layers }: CacheGeometry): PromptPlaces => ({
  length: 0,
  position: 0,
  positions: new Array<Int32Array>(layers).fill(new Int32Array(0)),
});

/** With `count` tokens more. */
export function withTokens(
  { length, position, positions }: PromptPlaces,
  kvHeads: number,
  count: number,
): PromptPlaces {
  const next = length + count;
  const longer = (old: Int32Array) => {
    const all = new Int32Array(kvHeads * next);
    for (let head = 0; head < kvHeads; head++) {
      all.set(old.subarray(head * length, (head + 1) * length), head * next);
      for (let i = 0; i < count; i++) all[head * next + length + i] = position + i;
    }
    return all;
  };
  return { length: next, position: position + count, positions: eachOnce(positions, longer) };
}

/** Of the chosen entries alone. @throws KvError `wrong_shape` where heads or layers differ in how many they keep */
export function withOnly(places: PromptPlaces, geometry: CacheGeometry, selection: Selection): PromptPlaces {
  const length = countOf(selection, geometry);
  const positions = places.positions.map((all, layer) => chosen(all, places.length, selection[layer] ?? []));
  return { ...places, length, positions };
}

/** Of the first `length` entries, after which no token was let go. */
export function rewound({ length: held, position, positions }: PromptPlaces, length: number): PromptPlaces {
  const first = (old: Int32Array) => old.filter((_, i) => i % held < length);
  return { length, position: position - held + length, positions: eachOnce(positions, first) };
}

/** Where the chosen of each head's `length` entries are from, head after head. */
export function chosen(positions: Int32Array, length: number, rows: Selection[number]): Int32Array {
  const own = new Int32Array(rows.reduce((sum, { length: count }) => sum + count, 0));
  let next = 0;
  for (const [head, of] of rows.entries())
    for (let i = 0; i < of.length; i++) own[next++] = positions[head * length + (of[i] ?? 0)] ?? 0;
  return own;
}

export function layersOf({ length, positions }: PromptPlaces, kvHeads: number): readonly Places[] {
  const offsets = offsetsOf(new Array<number>(kvHeads).fill(length));
  return positions.map((own) => ({ positions: own, offsets }));
}

/** How many entries every head keeps. @throws KvError `wrong_shape` */
export function countOf(selection: Selection, { layers, kvHeads }: CacheGeometry): number {
  const counts = selection.map((heads) => heads.map((rows) => rows.length));
  const [[kept = 0] = []] = counts;
  const complete = counts.length === layers && counts.every((heads) => heads.length === kvHeads);
  if (complete && counts.flat().every((count) => count === kept)) return kept;
  const allowed = `equally many entries for ${kvHeads} KV heads of ${layers} layers`;
  throw new KvError({ code: "wrong_shape", path: ["retain", "selection"], found: counts, allowed });
}

/** As `map`, but what is the same before is the same after. */
function eachOnce<T>(values: readonly T[], change: (value: T) => T): readonly T[] {
  const changed = new Map([...new Set(values)].map((value) => [value, change(value)]));
  return values.map((value) => changed.get(value) ?? value);
}
