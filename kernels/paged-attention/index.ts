import type { GpuTensor } from "../gpu/arrays.ts";

/** Entries in a page. */
export const PAGE = 32;

/** Entries of a stretch: a workgroup's share of a list. */
export const STRETCH = 256;

/**
 * Attention of single tokens, each to the pages that its sequence holds: of one layer, any number of sequences, each KV head with a count
 * of its own.
 *
 * A page holds up to `PAGE` entries of one KV head. Row r is one token, whose KV head h has two lists of pages, what was kept of a prompt
 * (which forks share) and what came after: each is where in the table it begins, and how many entries it holds, every page full but the last.
 */
export interface PagedAttention<Array> {
  /** [H, R, d], d a multiple of 4. */
  readonly queries: Array;
  /** [pages, PAGE, d] */
  readonly keys: Array;
  /** [pages, PAGE, d] */
  readonly values: Array;
  /** Numbers of pages: u32. */
  readonly table: Array;
  /** Both lists of each row's KV heads: u32 [any, 4], from `firstList` on [R, KH, 4]. */
  readonly lists: Array;
  readonly firstList: number;
  /** The position of each entry, u32 [pages, PAGE], and of each row, u32 [R]: looked at where there is a sliding window. */
  readonly positions: Array;
  readonly rowPositions: Array;
  readonly slidingWindow: number | null;
}

/** Entries that are in no pages, to which some of the rows attend as well. */
export interface OtherEntries {
  /** Stretches of the longest list. */
  readonly splits: number;
  /** Writes what these rows make of them into `parts` [R, H, splits, d + 4], from split `first` on. */
  attend(parts: GpuTensor, first: number, splits: number): void;
}

/** On a device: gives [R, H * d] to `out`. */
export type PagedAttentionOnGpu = (
  inputs: PagedAttention<GpuTensor>,
  /** The most entries that any KV head of any row has. */
  longest: number,
  out: GpuTensor,
  /** No two of the same rows. */
  others?: readonly OtherEntries[],
) => void;
