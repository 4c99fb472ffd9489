/** Which tokens two neighbouring layers hold so alike that they can share them. */
import type { CacheEntries } from "../evict.ts";
import { headLength } from "../layer.ts";
import { angleBetween } from "./slerp.ts";

/** How layers share; see `miniCache`. */
export interface CrossLayer {
  /** The lower layer of each pair, ascending; the other is the one above it. */
  readonly pairs: readonly number[];
  /** Where the direction lies between the lower layer's, at 0, and the upper one's, at 1. */
  readonly interpolation: number;
  /** Share of the range of a head's angles, from the largest down, in which tokens stay in full; 1 for all. */
  readonly retention: number;
  /** Newest entries of each KV head that stay in full. */
  readonly recent: number;
}

/** A token that both layers of a pair hold. */
export interface Shared {
  /** The lower layer of the pair. */
  readonly lower: number;
  readonly head: number;
  readonly position: number;
  /** Of its entries, in the lower layer and in the upper. */
  readonly rows: readonly [number, number];
  /** Between its keys, and between its values. */
  readonly angles: readonly [number, number];
}

/** Where a head's entries come from in the text, as they lie. */
export type OriginsOf = (layer: number, head: number) => Int32Array;

/** The key or value of an entry. */
export const rowOf = (
  { layers, geometry: { headDim } }: CacheEntries,
  part: "keys" | "values",
  layer: number,
  row: number,
) => layers[layer]?.[part].subarray(row * headDim, (row + 1) * headDim) ?? new Float32Array(headDim);

/**
 * The tokens to share: pair after pair, head after head, in the order of their positions.
 *
 * The paper's threshold is at a share gamma of the range of distances, 0.05, and few tokens are to stay in full: so it is counted from the
 * largest angle down. A token stays in full where its keys or its values are further apart.
 */
export const sharedTokens = (merge: CrossLayer, stored: CacheEntries, origins: OriginsOf): readonly Shared[] =>
  merge.pairs.flatMap((lower) =>
    Array.from({ length: stored.geometry.kvHeads }, (_, head) =>
      nearEnough(common(stored, lower, head, merge.recent, origins), merge.retention),
    ).flat(),
  );

/** The tokens that one KV head holds in both layers, but for the newest of either, at one position: packed keys may stand at two. */
function common(
  stored: CacheEntries,
  lower: number,
  head: number,
  recent: number,
  origins: OriginsOf,
): readonly Shared[] {
  const older = (layer: number) => {
    const { positions, offsets } = stored.layers[layer] ?? { positions: new Int32Array(0), offsets: new Int32Array(0) };
    const from = offsets[head] ?? 0;
    const count = Math.max(0, headLength({ offsets }, head) - recent);
    return { from, positions: positions.subarray(from, from + count), places: origins(layer, head) };
  };
  const [below, above] = [older(lower), older(lower + 1)];
  const inUpper = new Map(Array.from(above.positions, (position, i) => [position, i]));
  return Array.from(below.positions).flatMap((position, i) => {
    const j = inUpper.get(position);
    if (j === undefined || below.places[i] !== above.places[j]) return [];
    const rows = [below.from + i, above.from + j] as const;
    const angle = (part: "keys" | "values") =>
      angleBetween(rowOf(stored, part, lower, rows[0]), rowOf(stored, part, lower + 1, rows[1]));
    return { lower, head, position, rows, angles: [angle("keys"), angle("values")] };
  });
}

/** Opposite directions have nothing between them. */
function nearEnough(tokens: readonly Shared[], retention: number): readonly Shared[] {
  if (retention === 1) return [];
  const able = tokens.filter(({ angles }) => angles.every((angle) => angle < Math.PI));
  const bounds = [0, 1].map((part) => {
    const sorted = able.map(({ angles }) => angles[part] ?? 0).sort((a, b) => a - b);
    const [least = 0, most = 0] = [sorted[0], sorted.at(-1)];
    return most - (most - least) * retention;
  });
  return able.filter(({ angles }) => angles.every((angle, part) => angle <= (bounds[part] ?? 0)));
}
