import { uniform } from "../allocation/uniform.ts";
import { accumulatedAttention } from "../scoring/accumulated-attention.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { perQuery } from "../scoring/per-query.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface ObservedAttentionOptions {
  /** Entries kept per KV head; > window. */
  readonly budget: number;
  /** Last tokens, always kept; default 0, as published. */
  readonly window?: number;
}

/**
 * Observed attention: H2O's sums, each divided by the number of queries that could see the token, as kvpress has it.
 *
 * @formula score_j = (sum over all i of A[h,i,j]) / (n-j), averaged over the group; the b highest.
 * @cost H2O's: attention of all queries to all keys once more in every layer.
 * @memory Exactly the budget. Prefill holds H x n sums in every layer.
 * @helps Where H2O keeps too much of the beginning. The last tokens, which few queries see and all of them look at, rank high.
 * @see https://github.com/NVIDIA/kvpress
 */
export const observedAttention: MethodFactory<ObservedAttentionOptions> = define(
  "observed",
  { options: { window: count(0).default(0) }, budgetAbove: "window" },
  ({ window }) => ({
    keep: lastTokens(window),
    score: chain(accumulatedAttention(), meanOverGroup, perQuery),
    allocate: uniform(),
  }),
);
