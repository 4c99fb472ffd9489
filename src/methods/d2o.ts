import { layerDensity } from "../allocation/layer-density.ts";
import { define } from "./define.ts";
import { type H2OOptions, h2o, h2oOptions } from "./h2o.ts";
import type { MethodFactory } from "./method.ts";

/**
 * D2O's selection: H2O's tokens, on layers that get the more, the denser their attention. What D2O merges of the others is a step of
 * its own.
 *
 * @formula score_j = sum over all i of A[h,i,j], averaged over the group; F_l = mean over h of var_j of these sums, scaled within the
 *   layer to [0, 1]; layer l has the share exp(-F_l) / sum exp(-F) of what is scored.
 * @cost Attention of all queries to all keys once more in every layer, as H2O (5.9 % of prefill at n = 8000); no more than that for the
 *   layers' shares.
 * @memory Exactly the budget; the heads of a layer hold the same. Prefill holds H x n sums in every layer.
 * @helps Where H2O does and layers differ. The scaling bounds what two layers can differ by to a factor of e, so it is near to H2O.
 * @see https://arxiv.org/abs/2406.13035
 */
export const d2o: MethodFactory<H2OOptions> = define(
  "d2o",
  { options: h2oOptions, budgetAbove: "window" },
  (options) => ({ ...h2o(options), allocate: layerDensity() }),
);
