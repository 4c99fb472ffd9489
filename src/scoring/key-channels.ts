/** ThinK's choice of key channels (arXiv 2407.21018, section 3.2). */
import type { LayerEntries } from "../cache/layer.ts";
import type { Tensor } from "../tensor.ts";

export interface KeyChannels {
  /** Share of the channels that stay. */
  readonly keep: number;
  /** Last queries that judge. */
  readonly window: number;
}

/** Channels that stay, of d: at least one. */
export const channelCount = (keep: number, headDim: number): number => Math.max(1, Math.round(keep * headDim));

/**
 * The channels of each KV head whose product with the queries is largest, in the Frobenius norm over its query heads, the last
 * `window` queries and its keys but the newest `recent`; of equal ones the lower.
 *
 * @param queries [H, count, d]; fewer than `window` are all there are
 * @returns ascending: [KH, d']
 */
export function keyChannels(
  queries: Tensor,
  { keys, offsets }: Pick<LayerEntries, "keys" | "offsets">,
  recent: number,
  { keep, window }: KeyChannels,
): Int32Array {
  const [queryHeads = 0, observed = 0, d = 0] = queries.dims;
  const kvHeads = offsets.length - 1;
  const group = queryHeads / kvHeads;
  const width = channelCount(keep, d);
  const chosen = new Int32Array(kvHeads * width);
  for (let head = 0; head < kvHeads; head++) {
    const asked = new Float64Array(d);
    for (let query = head * group; query < (head + 1) * group; query++) {
      addSquares(asked, queries.data, query * observed + Math.max(0, observed - window), (query + 1) * observed);
    }
    const [from = 0, to = 0] = offsets.subarray(head, head + 2);
    const held = new Float64Array(d);
    addSquares(held, keys, from, Math.max(from, to - recent));
    const scores = held.map((norm, c) => norm * (asked[c] ?? 0));
    const best = Int32Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    chosen.set(best.subarray(0, width).sort(), head * width);
  }
  return chosen;
}

/** Adds each channel's squares over rows from .. to - 1 of [rows, d]. */
function addSquares(into: Float64Array, rows: Float32Array, from: number, to: number): void {
  const d = into.length;
  for (let row = from; row < to; row++) {
    for (let c = 0; c < d; c++) into[c] = (into[c] ?? 0) + (rows[row * d + c] ?? 0) ** 2;
  }
}
