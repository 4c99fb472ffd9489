import type { GpuTensor } from "../gpu/arrays.ts";
import type { PagedAttention } from "../paged-attention/index.ts";

/**
 * What a softmax over one token's entries is taken of: q . k / sqrt(d), and -1e30 for entries beyond the sliding window. The first row alone;
 * to columns of `out` [H, any] from `first` on, each query head's entries as they lie in the lists of its KV head, and nothing beyond these.
 */
export type PagedScores = (
  inputs: Omit<PagedAttention<GpuTensor>, "values">,
  /** The most entries that any KV head has. */
  longest: number,
  out: GpuTensor,
  /** Default: 0. */
  first?: number,
) => void;
