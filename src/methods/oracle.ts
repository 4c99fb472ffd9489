import { z } from "zod";
import { adaptiveHeads } from "../allocation/adaptive-heads.ts";
import { answerAttention } from "../scoring/answer-attention.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { share } from "./options.ts";

export interface OracleOptions {
  /** Entries kept per KV head; >= 1. */
  readonly budget: number;
  /** The true answer: text as it follows the prompt, or token ids; at least one token. */
  readonly answer: string | readonly number[] | Int32Array;
  /** Share of the budget that every head keeps whatever its scores, in [0, 1]; default 0.2, as AdaKV; 1 gives all heads the same. */
  readonly floor?: number;
}

const ids = z.custom<readonly number[] | Int32Array>(
  (value) =>
    (Array.isArray(value) || value instanceof Int32Array) &&
    value.length > 0 &&
    value.every((id: unknown) => Number.isSafeInteger(id) && Number(id) >= 0),
);
const answer = () =>
  z.union([z.string().min(1), ids.transform((of) => Array.from(of))], {
    error: "text or token ids, one token or more",
  });

/**
 * Oracle: what the true answer will look at, told in advance. It is no method but what methods are measured against: how much of what
 * they lose must be lost at their budget.
 *
 * Nearly perfect where the answer is copied from the prompt, and no bound where it follows from all of it, as in classification.
 *
 * @formula mean over the group of the sum of A[h,i,j] over the answer's tokens i, as they would come after the prompt.
 * @cost The answer is run after the prompt.
 * @memory `budget` entries per KV head on average.
 * @helps Analysis alone: it needs the answer.
 */
export const oracle: MethodFactory<OracleOptions> = define(
  "oracle",
  { options: { answer: answer(), floor: share().default(0.2) } },
  ({ answer, floor }) => ({
    keep: lastTokens(0),
    score: chain(answerAttention(answer), meanOverGroup),
    allocate: adaptiveHeads({ floor }),
  }),
);
