import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { relativeAttention } from "../scoring/relative-attention.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface FinchOptions {
  /** Entries kept per KV head, the question included; > question. */
  readonly budget: number;
  /** Tokens of the question that the prompt ends with, >= 1; always kept; default 16. */
  readonly question?: number;
}

/**
 * FINCH: the tokens that the question at the prompt's end attends to, each of its tokens counting alike, and the question itself.
 *
 * The published method goes through a long document chunk by chunk, the question after each; this is its choice over the whole prompt.
 *
 * @formula mean over the group, and over i = n-w .. n-1, of A[h,i,j] (i + 1), with w = question.
 * @cost The attention of w queries, as SnapKV.
 * @memory `budget` entries per KV head; prefill holds the last w queries.
 * @helps Where a question ends the prompt and its length is known; not where what is asked comes later.
 * @see https://arxiv.org/abs/2408.00167
 */
export const finch: MethodFactory<FinchOptions> = define(
  "finch",
  { options: { question: count(1).default(16) }, budgetAbove: "question" },
  ({ question }) => ({
    keep: lastTokens(question),
    score: chain(relativeAttention(question), meanOverGroup),
    allocate: uniform(),
  }),
);
