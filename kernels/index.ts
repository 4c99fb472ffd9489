/**
 * The numeric kernels of KV-cache compression: what a score, a selection and a ragged cache are computed with.
 *
 * One folder per kernel: `index.ts` is the contract, `reference.ts` readable TypeScript that tests trust, `onnx.ts` the CPU
 * graph (WGSL comes beside it). An engine brings a `Kernels`; scoring policies only ever see this interface.
 * n keys, H query heads, KH KV heads, H = KH * G, query head h reads KV head floor(h / G); d head dimension. Row-major fp32.
 */
import type { Tensor } from "../src/tensor.ts";

export type { Tensor };

/** Limits what a query sees: key j is seen by query i when i - slidingWindow < j <= i. */
export interface Visibility {
  /** null: every earlier key. */
  readonly slidingWindow: number | null;
}

export interface Kernels extends Disposable {
  /** Attention mass that the last w queries give to each earlier key: queries [H, w, d], keys [KH, n, d] -> [H, n - w]. */
  windowAttention(queries: Tensor, keys: Tensor, visibility: Visibility): Promise<Tensor>;
  /** Attention mass that s consecutive queries, the last of the n keys' positions, give to every key: queries [H, s, d], keys [KH, n, d] -> [H, n]. */
  columnSums(queries: Tensor, keys: Tensor, visibility: Visibility): Promise<Tensor>;
  /** Mean over the query heads of each group: [H, m] -> [kvHeads, m]. */
  groupMean(scores: Tensor, kvHeads: number): Promise<Tensor>;
  /** Maximum over the query heads of each group: [H, m] -> [kvHeads, m]. */
  groupMax(scores: Tensor, kvHeads: number): Promise<Tensor>;
  /** Sliding maximum along each row, stride 1, odd size, -inf beyond the ends: [r, m] -> [r, m]. */
  maxPool(scores: Tensor, size: number): Promise<Tensor>;
  /** Sliding mean along each row, stride 1, odd size, zeros beyond the ends and always divided by size: [r, m] -> [r, m]. */
  avgPool(scores: Tensor, size: number): Promise<Tensor>;
  /** Per row r of [rows, m], the counts[r] columns with the highest scores, ascending; of equal scores the lower column wins. */
  topK(scores: Tensor, counts: readonly number[]): Promise<readonly Int32Array[]>;
  /** Picks rows per KV head: entries [KH, n, d], rows[h] ascending in [0, n) -> flat [sum of rows[h].length, d], head after head. */
  gather(entries: Tensor, rows: readonly Int32Array[]): Promise<Tensor>;
}
