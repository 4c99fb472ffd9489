/** Methods of ours that need something measured on the model, by name. Their laws run on random measurements. */
import type { BudgetCurves } from "../allocation/budget-curves.ts";
import type { HeadScores } from "../allocation/head-scores.ts";
import { duoAttention } from "./duoattention.ts";
import { headKV } from "./headkv.ts";
import { luKV } from "./lukv.ts";
import type { MethodFactory } from "./method.ts";

/** All that any of them needs: each takes its own. */
export interface HeadMeasurements {
  readonly budget: number;
  readonly heads: HeadScores;
  readonly curves: BudgetCurves;
}

export const measuredRegistry = {
  headkv: ({ budget, heads }) => headKV({ budget, heads }),
  duoattention: ({ budget, heads }) => duoAttention({ budget, heads }),
  lukv: ({ budget, curves }) => luKV({ budget, curves }),
} as const satisfies Record<string, MethodFactory<HeadMeasurements>>;
