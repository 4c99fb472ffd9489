import { headImportance } from "../allocation/head-importance.ts";
import type { HeadScores } from "../allocation/head-scores.ts";
import { define } from "./define.ts";
import type { MethodFactory } from "./method.ts";
import { above, heads } from "./options.ts";
import { type SnapKVOptions, snapKV, snapKVOptions } from "./snapkv.ts";

export interface HeadKVOptions extends SnapKVOptions {
  /** Importance of each KV head: `loadHeads(model, path)` of what `bun run measure-heads --what heads` wrote, or `headScores(values)`. */
  readonly heads: HeadScores;
  /** 1 / beta of every head's even share goes to the pool that importance divides, > 1; default 1.01. */
  readonly beta?: number;
}

/**
 * HeadKV: SnapKV's tokens, where heads that were found to retrieve keep more, whatever their layer.
 *
 * @formula S_w as SnapKV; head h of layer l keeps w + (b-w) (1 - 1/beta) + s[l,h] L KH (b-w) / beta, s the heads' importance with sum 1,
 *   rounded to the exact total; what would be beyond the prompt goes to the other heads.
 * @cost SnapKV's: attention of w queries to n keys in every layer. The importance is measured once for a model.
 * @memory Exactly the budget on average; important heads hold many times what others do. Prefill holds the last w queries.
 * @helps Where a few heads do the retrieving, and the task is like the one they were measured on. With beta near 1 unimportant heads
 *   keep little more than the window.
 * @see https://arxiv.org/abs/2410.19258
 */
export const headKV: MethodFactory<HeadKVOptions> = define(
  "headkv",
  { options: { ...snapKVOptions, heads: heads(), beta: above(1).default(1.01) }, budgetAbove: "window" },
  ({ heads, beta, ...rest }) => ({ ...snapKV(rest), allocate: headImportance({ heads, beta }) }),
);
