import { uniform } from "../allocation/uniform.ts";
import { keyDifference } from "../scoring/key-difference.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface KeyDiffOptions {
  /** Entries kept per KV head; > window. */
  readonly budget: number;
  /** Last tokens, always kept; default 0, as published. */
  readonly window?: number;
}

/**
 * KeyDiff: the entries whose keys are least like the others, whatever is asked of them.
 *
 * @formula score_j = -cos(k_j, mean over i of k_i / |k_i|); the b highest.
 * @cost Two passes over the keys.
 * @memory Exactly the budget. Prefill holds nothing more.
 * @helps Where something stands out of its text, such as a number in a novel, and where questions come later. In a list of examples
 *   that are all alike nothing stands out.
 * @see https://arxiv.org/abs/2504.15364
 */
export const keyDiff: MethodFactory<KeyDiffOptions> = define(
  "keydiff",
  { options: { window: count(0).default(0) }, budgetAbove: "window" },
  ({ window }) => ({ keep: lastTokens(window), score: keyDifference(), allocate: uniform() }),
);
