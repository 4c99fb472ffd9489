import type { GpuTensor } from "../gpu/arrays.ts";

/** Tokens of a block of codes. */
export const BLOCK = 32;

/**
 * The older entries of a cache as it stores them: blocks of codes, each `BLOCK` tokens of one KV head of one layer, or single tokens in fp32.
 *
 * A code of b bits stands for code * scale + low. A key's channel has a scale and a low for its block, a value a pair for every `group` of
 * its channels. Byte j of a block of m bytes holds the codes of its numbers j, j + m, j + 2m ..., the first in its lowest bits; its floats are
 * all scales, then all lows. A block in fp32 is its numbers.
 */
export interface CompactBlocks<Array> {
  /** Of a code: 8, 4 or 2; 0 where blocks are fp32. */
  readonly bits: number;
  /** Channels that keys have, d' <= d. */
  readonly width: number;
  /** Channels of a value that share a scale: a multiple of 4. */
  readonly group: number;
  /** Bytes: the blocks of values, then those of keys, of which the first is this byte. */
  readonly codes: Array;
  readonly keyCodes: number;
  /** Floats of the blocks of values, then those of keys. Where norms are not 0 entries are their blocks' numbers times norms, which follow. */
  readonly floats: Array;
  readonly keyFloats: number;
  readonly valueNorms: number;
  readonly keyNorms: number;
  /** u32: the position of each entry, and, where `channels` is not 0, from there on the channels that keys have, [L, KH, d']. */
  readonly places: Array;
  readonly channels: number;
  /** Each head's first block, first entry and how many entries: u32 [L, KH, 4]. */
  readonly heads: Array;
}

/** Rows of a run that attend to the same compact entries, in one layer. */
export interface CompactAttention<Array> {
  /** [H, R, d], d a multiple of 4. */
  readonly queries: Array;
  readonly blocks: CompactBlocks<Array>;
  readonly layer: number;
  /** Each row that attends, and its position: u32 [any, 2]. */
  readonly rows: Array;
  readonly slidingWindow: number | null;
  /** The most entries that any KV head of the layer has. */
  readonly longest: number;
}

/** Scores of the first row, as `PagedScores` has them: to columns of `out` [H, any] from the first on, each head's entries. */
export type CompactScores = (inputs: CompactAttention<GpuTensor>, out: GpuTensor) => void;
