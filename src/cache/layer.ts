/** Which entries one layer keeps: flat, KV head after KV head, exactly as long as what is kept. Never changed once made, unless reused. */
export interface LayerPlaces {
  /** True positions, ascending within each head unless reused: [entries]. */
  readonly positions: Int32Array;
  /** Head h owns entries offsets[h] .. offsets[h + 1] - 1: [KH + 1]. */
  readonly offsets: Int32Array;
  /** Where keys were turned after they came: the position that each is rotated to, instead of its true one. */
  readonly turned?: Int32Array;
  /** Made by eviction while decoding: a later token may take over a slot, and its position then says so (evict.ts). */
  readonly reused?: true;
}

/** The same with their numbers, in memory. */
export interface LayerEntries extends LayerPlaces {
  /** [entries, d], after RoPE at their true positions. */
  readonly keys: Float32Array;
  /** [entries, d] */
  readonly values: Float32Array;
}

/** Where a cache's numbers belong: the shapes that a model and its caches share. */
export interface CacheGeometry {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Which entries of a layer are whose, and where in the text they come from. */
export type Places = Pick<LayerEntries, "positions" | "offsets">;

export const headLength = ({ offsets }: Pick<LayerEntries, "offsets">, head: number): number =>
  (offsets[head + 1] ?? 0) - (offsets[head] ?? 0);

/** Whether every KV head of the layer holds equally many entries, so that it can be read as [KH, P, d]. */
export function isUniform(layer: Places): boolean {
  const heads = layer.offsets.length - 1;
  for (let h = 1; h < heads; h++) if (headLength(layer, h) !== headLength(layer, 0)) return false;
  return true;
}

/** Offsets of heads that hold `counts[h]` entries each. */
export function offsetsOf(counts: readonly number[]): Int32Array {
  const offsets = new Int32Array(counts.length + 1);
  counts.forEach((count, h) => {
    offsets[h + 1] = (offsets[h] ?? 0) + count;
  });
  return offsets;
}

type Entries = Pick<LayerEntries, "keys" | "values" | "positions" | "turned">;

/** A layer whose heads' entries are in the order of their positions. */
export function inOrder(entries: LayerEntries, headDim: number): LayerEntries {
  if (entries.reused === undefined) return entries;
  const { keys, values, positions, offsets } = entries;
  const sorted = { keys: keys.slice(), values: values.slice(), positions: positions.slice(), offsets };
  const byPosition = Array.from(positions.keys()).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
  const next = offsets.slice();
  for (const from of byPosition) {
    const head = offsets.findLastIndex((offset) => offset <= from);
    const to = next[head] ?? 0;
    next[head] = to + 1;
    copyEntries(entries, [from, from + 1], sorted, to, headDim);
  }
  return sorted;
}

/** Entries from .. to - 1 go to place `at` and those after it. */
export function copyEntries(
  source: Entries,
  [from, to]: readonly [number, number],
  into: Entries,
  at: number,
  headDim: number,
): void {
  if (from === to) return;
  into.keys.set(source.keys.subarray(from * headDim, to * headDim), at * headDim);
  into.values.set(source.values.subarray(from * headDim, to * headDim), at * headDim);
  into.positions.set(source.positions.subarray(from, to), at);
  if (source.turned !== undefined) into.turned?.set(source.turned.subarray(from, to), at);
}
