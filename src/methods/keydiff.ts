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

/** KeyDiff: the entries whose keys are least like the others, whatever is asked of them. @see https://arxiv.org/abs/2504.15364 */
export const keyDiff: MethodFactory<KeyDiffOptions> = define(
  "keydiff",
  { options: { window: count(0).default(0) }, budgetAbove: "window" },
  ({ window }) => ({ keep: lastTokens(window), score: keyDifference(), allocate: uniform() }),
);
