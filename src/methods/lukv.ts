import { alongCurves, type BudgetCurves } from "../allocation/budget-curves.ts";
import { define } from "./define.ts";
import type { MethodFactory } from "./method.ts";
import { curves } from "./options.ts";
import { type SnapKVOptions, snapKV, snapKVOptions } from "./snapkv.ts";

export interface LuKVOptions extends SnapKVOptions {
  /** `loadCurves(model, path)` of what `bun run measure-heads --what curves` wrote, or `budgetCurves(tables)`. */
  readonly curves: BudgetCurves;
}

/**
 * LU-KV: SnapKV's tokens, where heads keep what was found to serve the tokens to come best, for this share of the prompt.
 *
 * @formula S_w as SnapKV; of the n-w candidates head h of layer l keeps the share r[l,h]((b-w) / (n-w)), rounded to the exact total; r
 *   is measured: over prompts, the mean of the shares that keep most of sum_j max_i A[h,i,j] |W_O v_j| of the queries i to come.
 * @cost SnapKV's: attention of w queries to n keys in every layer. The curves are measured once for a model.
 * @memory Exactly the budget on average; heads differ. Prefill holds the last w queries.
 * @helps Where SnapKV's scores predict better in some heads than in others. Curves of another score or of other texts than one's own
 *   mislead.
 * @see https://arxiv.org/abs/2602.08585
 */
export const luKV: MethodFactory<LuKVOptions> = define(
  "lukv",
  { options: { ...snapKVOptions, curves: curves() }, budgetAbove: "window" },
  ({ curves, ...rest }) => ({ ...snapKV(rest), allocate: alongCurves({ curves }) }),
);
