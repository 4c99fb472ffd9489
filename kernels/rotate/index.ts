import type { GpuTensor } from "../gpu/arrays.ts";

/**
 * Takes the products of queries, keys and values apart, and turns queries and keys to their positions: all that lies between those products
 * and attention.
 *
 * joint [S, (H + 2 KH) d] has each row's query heads, then its key heads, then its value heads. In this order: queries and keys are
 * normalised head by head, if `norm` is given (RMSNorm); queries are multiplied by `queryScale`; queries and keys are rotated, channel i of a
 * head with channel i + d/2 (RoPE).
 *
 * @see https://arxiv.org/abs/2104.09864
 */
export type Rotate = (joint: GpuTensor, options: RotateOptions, out: Rotated) => void;

export interface RotateOptions extends RotateShape {
  /** The position of each row, whole numbers: [S] */
  readonly positions: GpuTensor;
  /** Of every position, the cosines and then the sines of its d/2 angles: [M, d] */
  readonly turns: GpuTensor;
  /** Scales for queries and for keys, [2, d]; null for networks that do not normalise heads. */
  readonly norm: { readonly scales: GpuTensor; readonly epsilon: number } | null;
}

export interface RotateShape {
  /** H and KH. */
  readonly heads: number;
  readonly kvHeads: number;
  /** 1 in most networks. */
  readonly queryScale: number;
}

/** Where the results go. */
export interface Rotated {
  /** [H, S, d] */
  readonly queries: GpuTensor;
  /** Queries before RoPE, for what looks at them: [any, H d], of which the S rows from `unturnedFrom` (default 0) on are written; null where nothing does. */
  readonly unturned: GpuTensor | null;
  readonly unturnedFrom?: number;
  /** [KH, capacity, d], of whose heads the S rows from `at` on are written. */
  readonly keys: GpuTensor;
  readonly values: GpuTensor;
  readonly at: number;
}
