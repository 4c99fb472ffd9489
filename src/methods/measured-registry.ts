/** Methods of ours that need something measured on the model, by name. Their laws run on random measurements. */
import type { BudgetCurves } from "../allocation/budget-curves.ts";
import type { HeadScores } from "../allocation/head-scores.ts";
import { duoAttention } from "./duoattention.ts";
import { headKV } from "./headkv.ts";
import { luKV } from "./lukv.ts";
import type { MethodFactory } from "./method.ts";

/** A method, and the kind of measurement that it needs as the option of that name. */
export type MeasuredMethod =
  | { readonly needs: "heads"; readonly make: MethodFactory<{ readonly budget: number; readonly heads: HeadScores }> }
  | {
      readonly needs: "curves";
      readonly make: MethodFactory<{ readonly budget: number; readonly curves: BudgetCurves }>;
    };

export const measuredRegistry = {
  headkv: { needs: "heads", make: headKV },
  duoattention: { needs: "heads", make: duoAttention },
  lukv: { needs: "curves", make: luKV },
} as const satisfies Record<string, MeasuredMethod>;
