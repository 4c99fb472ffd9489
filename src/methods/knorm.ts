import { uniform } from "../allocation/uniform.ts";
import { keyNorm } from "../scoring/key-norm.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface KnormOptions {
  /** Entries kept per KV head; > window. */
  readonly budget: number;
  /** Last tokens, always kept; default 0, as published. */
  readonly window?: number;
}

/**
 * Knorm: the entries with the shortest keys.
 *
 * @formula score_j = -|k_j|; the b highest.
 * @cost One pass over the keys.
 * @memory Exactly the budget. Prefill holds nothing more.
 * @helps Where no attention can be observed, and questions come later. That short keys attract attention holds on average, not for a fact.
 * @see https://arxiv.org/abs/2406.11430
 */
export const knorm: MethodFactory<KnormOptions> = define(
  "knorm",
  { options: { window: count(0).default(0) }, budgetAbove: "window" },
  ({ window }) => ({ keep: lastTokens(window), score: keyNorm(), allocate: uniform() }),
);
