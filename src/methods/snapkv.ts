import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { maxPool } from "../scoring/pool.ts";
import type { Step } from "../scoring/score.ts";
import { windowAttention } from "../scoring/window-attention.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count, pool } from "./options.ts";

export interface SnapKVOptions {
  /** Entries kept per KV head, window included; > window. */
  readonly budget: number;
  /** Last tokens, whose attention is the score; always kept; default 8. */
  readonly window?: number;
  /** Pools the scores of neighbours, after the mean over query heads; default maxPool(7). */
  readonly pool?: Step;
}

export const snapKVOptions = { window: count(1).default(8), pool: pool().default(() => maxPool(7)) };

/**
 * SnapKV: the tokens that the last `window` tokens attend to, with their neighbours.
 *
 * @formula score_j = maximum of a window of 7 around j of the group's mean of S_w[h,j]; the b-w highest of j < n-w, and the last w.
 * @cost Attention of w queries to n keys in every layer: 1.1 % of prefill at n = 8000 (2026-11).
 * @memory Exactly the budget, the same for all layers and heads. Prefill holds the last w queries.
 * @helps Where the prompt ends with the question. A question that comes later finds what the prompt's end looked at, not what it needs
 *   itself.
 * @see https://arxiv.org/abs/2404.14469
 */
export const snapKV: MethodFactory<SnapKVOptions> = define(
  "snapkv",
  { options: snapKVOptions, budgetAbove: "window" },
  ({ window, pool }) => ({
    keep: lastTokens(window),
    score: chain(windowAttention(window), meanOverGroup, pool),
    allocate: uniform(),
  }),
);
