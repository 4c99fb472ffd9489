/** Where in the text the entries of a cache come from whose positions are packed. */
import type { Places } from "./layer.ts";

export interface Origins {
  /** Tokens of the prompt. */
  readonly prompt: number;
  /** Position that the first token after the prompt has in the cache. */
  readonly next: number;
  /** What each head kept of the prompt, by its place in it: in the cache it stands just before `next`, in the same order. */
  readonly layers: readonly Places[];
}

/** Places in the text of what stands at some positions of one head. */
export function originsOf(
  { prompt, next, layers }: Origins,
  layer: number,
  kvHead: number,
  positions: Int32Array,
): Int32Array {
  const { positions: kept, offsets } = layers[layer] ?? { positions: new Int32Array(0), offsets: [] };
  const end = offsets[kvHead + 1] ?? 0;
  return positions.map((position) => (position < next ? (kept[end - next + position] ?? 0) : prompt + position - next));
}
