import { uniform } from "../allocation/uniform.ts";
import { lagRelative } from "../scoring/lag-relative.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface LagKVOptions {
  /** Entries kept per KV head, sinks included; > sinks. */
  readonly budget: number;
  /** First tokens, always kept; >= 0, default 16. */
  readonly sinks?: number;
  /** Entries in a partition, >= 2; default 128, but at most a quarter of what the budget leaves after the sinks. */
  readonly lag?: number | undefined;
}

const MOST = 128;

/**
 * LagKV: of each partition of the prompt the same share, those whose channels differ most from each other in units of what the next
 * partition's range is; the last partition whole. It looks at keys and values alone.
 *
 * @formula for partition p and the ranges min, max of each channel in partition p + 1: s(x)[j] = softmax over j in p of the standard deviation over
 *   channels of (x[j] - min)/(max - min); score[j] = rank of s(k)[j] + s(v)[j] within p, divided by its size; later partitions: 1 and more.
 * @cost a few passes over keys and values, and a sort of each partition.
 * @memory The budget; prefill holds the prompt's cache and nothing for it.
 * @helps Long prompts, whatever is asked later; at small budgets the last tokens, always kept, leave little to choose.
 * @see https://arxiv.org/abs/2504.04704
 */
export const lagKV: MethodFactory<LagKVOptions> = define(
  "lagkv",
  { options: { sinks: count(0).default(16), lag: count(2).optional() }, budgetAbove: "sinks" },
  ({ budget, sinks, lag = Math.min(MOST, Math.max(2, Math.floor((budget - sinks) / 4))) }) => ({
    keep: firstAndLast(sinks, 0),
    score: lagRelative(lag),
    allocate: uniform(),
  }),
);
