import { uniform } from "../allocation/uniform.ts";
import { accumulatedAttention } from "../scoring/accumulated-attention.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface H2OOptions {
  /** Entries kept per KV head, window included; > window. */
  readonly budget: number;
  /** Last tokens, always kept; default 8. */
  readonly window?: number;
}

export const h2oOptions = { window: count(1).default(8) };

/**
 * H2O at prefill: the tokens that all queries together attend to most, and the window.
 *
 * @formula score_j = sum over all i of A[h,i,j], averaged over the group; the b-w highest of j < n-w, and the last w.
 * @cost Attention of all queries to all keys once more in every layer: 5.9 % of prefill at n = 8000 (2026-11).
 * @memory Exactly the budget. Prefill holds H x n sums in every layer.
 * @helps Where the same tokens matter throughout. Early tokens are seen by more queries and so gather more, whatever they say; a fact
 *   that only the question looks at is lost.
 * @see https://arxiv.org/abs/2306.14048
 */
export const h2o: MethodFactory<H2OOptions> = define(
  "h2o",
  { options: h2oOptions, budgetAbove: "window" },
  ({ window }) => ({
    keep: lastTokens(window),
    score: chain(accumulatedAttention(), meanOverGroup),
    allocate: uniform(),
  }),
);
