import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { pivotalTokens } from "../scoring/pivotal-tokens.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface ScissorhandsOptions {
  /** Entries kept per KV head, the recent ones included; > recent. */
  readonly budget: number;
  /** Last tokens, always kept, >= 1; default 10. */
  readonly recent?: number;
  /**
   * Last tokens whose attention is counted, >= 1, or all of a shorter prompt; default 64. The paper has 400 for prompts of 2,048 tokens;
   * more than 64 are observed only for prompts that are told of this method, and block by block all of them must be held.
   */
  readonly history?: number;
}

/**
 * Scissorhands at prefill: pivotal tokens, to which most of the last `history` tokens attend more than to the average one, and the most
 * recent ones. As many queries look at many tokens, equal scores are common: the earlier token stays.
 *
 * @formula mean over the group of how many i = n-w .. n-1 have A[h,i,j] >= 1 / (i + 1), with w = history.
 * @cost The attention of w queries.
 * @memory `budget` entries per KV head; prefill holds the last w queries.
 * @helps Where what mattered goes on to matter; a fact that is asked once, at the end, is looked at by few.
 * @see https://arxiv.org/abs/2305.17118
 */
export const scissorhands: MethodFactory<ScissorhandsOptions> = define(
  "scissorhands",
  { options: { recent: count(1).default(10), history: count(1).default(64) }, budgetAbove: "recent" },
  ({ recent, history }) => ({
    keep: lastTokens(recent),
    score: chain(pivotalTokens(history), meanOverGroup),
    allocate: uniform(),
  }),
);
