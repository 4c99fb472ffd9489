import type { HeadScores } from "../allocation/head-scores.ts";
import { retrievalHeads } from "../allocation/retrieval-heads.ts";
import { recency } from "../scoring/recency.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count, heads } from "./options.ts";

export interface DuoAttentionOptions {
  /** Entries kept per KV head on average; > sinks + recent. */
  readonly budget: number;
  /** How much each KV head retrieves: `loadHeads(model, path)` of what `bun run measure-heads --what heads` wrote, or `headScores(values)`. */
  readonly heads: HeadScores;
  /** First tokens that every head keeps; default 4 (the paper, for long prompts: 128). */
  readonly sinks?: number;
  /** Last tokens that every head keeps; default 16 (the paper: 256). */
  readonly recent?: number;
}

/**
 * DuoAttention: retrieval heads keep the whole prompt, streaming heads the first and the last tokens. The budget says how many heads
 * retrieve.
 *
 * @formula Heads by their scores, highest first: each keeps all n while (b - sinks - recent) L KH entries last; the one that they run
 *   out in keeps its most recent; all others keep j < sinks and j >= n - recent.
 * @cost Nothing beyond prefill; the heads' scores are measured once for a model.
 * @memory Exactly the budget on average: retrieval heads n, streaming heads sinks + recent. Prefill holds nothing more.
 * @helps Where budgets are a good part of the prompt: at b / n of a tenth only about a tenth of the heads can retrieve. It does not
 *   look at the prompt, so it fits questions that come later.
 * @see https://arxiv.org/abs/2410.10819
 */
export const duoAttention: MethodFactory<DuoAttentionOptions> = define(
  "duoattention",
  { options: { heads: heads(), sinks: count(0).default(4), recent: count(0).default(16) } },
  ({ heads, sinks, recent }) => ({
    keep: firstAndLast(sinks, recent),
    score: recency(),
    allocate: retrievalHeads({ heads }),
  }),
);
