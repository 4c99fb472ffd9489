import { globalHeads } from "../allocation/global-heads.ts";
import { chain } from "../scoring/chain.ts";
import { maxOverGroup } from "../scoring/group.ts";
import { reconstruction } from "../scoring/reconstruction.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count, text } from "./options.ts";

export interface KVzipOptions {
  /** Entries kept per KV head on average, sinks included; > sinks. */
  readonly budget: number;
  /** First tokens, always kept, >= 0; default 4. */
  readonly sinks?: number;
  /** Tokens repeated at once, >= 1; default 2000. Prompt, request and chunk must fit the model's context. */
  readonly chunk?: number;
  /** What stands between the request and the repetition; default "\n"; with a chat model, its template's beginning of an answer. */
  readonly suffix?: string;
}

/**
 * KVzip: what the model looks up when it is made to repeat the prompt, whatever will be asked of it later. Heads of all layers share one
 * budget.
 *
 * The published code looks at the sinks and one chunk at a time; here repeating a chunk sees the whole prompt, which for prompts of one
 * chunk is the same.
 *
 * @formula max over the group, and over the tokens i of "repeat" and the repeated prompt, of A[h,i,j].
 * @cost The prompt is run again after itself: about twice prefill.
 * @memory `budget` entries per KV head on average; prefill holds twice the prompt's entries while it is repeated.
 * @helps Where one context serves many questions, or the question does not tell where to look: needles above all, also in a 135M model;
 *   not where prefill must be fast, or twice the prompt exceeds the context.
 * @see https://arxiv.org/abs/2505.23416
 */
export const kvzip: MethodFactory<KVzipOptions> = define(
  "kvzip",
  {
    options: { sinks: count(0).default(4), chunk: count(1).default(2000), suffix: text().default("\n") },
    budgetAbove: "sinks",
  },
  ({ sinks, chunk, suffix }) => ({
    keep: firstAndLast(sinks, 0),
    score: chain(reconstruction({ chunk, suffix }), maxOverGroup),
    allocate: globalHeads(),
  }),
);
