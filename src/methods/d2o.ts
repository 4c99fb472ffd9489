import { layerDensity } from "../allocation/layer-density.ts";
import { define } from "./define.ts";
import { type H2OOptions, h2o, h2oOptions } from "./h2o.ts";
import type { MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface D2OOptions extends H2OOptions {
  /** Lowest layers of the network that keep all of the prompt, as far as the budget goes, >= 0; default 0. The published code: 2. */
  readonly exemptLowest?: number;
  /** Highest layers, likewise; default 0. The published code: 1. */
  readonly exemptHighest?: number;
}

/**
 * D2O's selection: H2O's tokens, on layers that get the more, the denser their attention. What D2O merges of the others is a step of
 * its own.
 *
 * The published code exempts the two lowest layers and the highest from compression, beyond its budget. Within one they would take most of
 * what there is from short budgets, so none is exempt unless it is asked for.
 *
 * @formula score_j = sum over all i of A[h,i,j], averaged over the group; F_l = mean over h of var_j of these sums, scaled within the
 *   layer to [0, 1]; layer l has the share exp(-F_l) / sum exp(-F) of what is scored and exempt layers leave.
 * @cost Attention of all queries to all keys once more in every layer, as H2O (5.9 % of prefill at n = 8000); no more than that for the
 *   layers' shares.
 * @memory Exactly the budget; the heads of a layer hold the same. Prefill holds H x n sums in every layer.
 * @helps Where H2O does and layers differ. The scaling bounds what two layers can differ by to a factor of e, so it is near to H2O.
 *   Exempt layers need a budget well above (exemptLowest + exemptHighest) n / L: below, the others keep the window alone.
 * @see https://arxiv.org/abs/2406.13035
 */
export const d2o: MethodFactory<D2OOptions> = define(
  "d2o",
  {
    options: { ...h2oOptions, exemptLowest: count(0).default(0), exemptHighest: count(0).default(0) },
    budgetAbove: "window",
  },
  ({ exemptLowest, exemptHighest, ...rest }) => ({
    ...h2o(rest),
    allocate: layerDensity({ exemptLowest, exemptHighest }),
  }),
);
