import type { GpuTensor } from "../gpu/arrays.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Attention of new tokens to all that a cache holds, themselves among it.
 *
 * queries [H, S, d] are of the last S of `length` entries; keys and values are [KH, capacity, d], of which each head's first `length` rows
 * count. Query i sees the entries up to its own, at `length - S + i`, and of these the last `slidingWindow`.
 */
export interface FlashAttention {
  readonly queries: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly length: number;
  /** null: every earlier entry. */
  readonly slidingWindow: number | null;
}

/** The same on a device: the result goes to `out` [S, H * d]. d is a multiple of 4. */
export type FlashAttentionOnGpu = (
  inputs: Omit<FlashAttention, "queries" | "keys" | "values"> & {
    readonly queries: GpuTensor;
    readonly keys: GpuTensor;
    readonly values: GpuTensor;
  },
  out: GpuTensor,
) => void;
