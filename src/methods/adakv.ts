import { adaptiveHeads } from "../allocation/adaptive-heads.ts";
import { pyramid } from "../allocation/pyramid.ts";
import { define } from "./define.ts";
import type { MethodFactory } from "./method.ts";
import { above, share } from "./options.ts";
import { type SnapKVOptions, snapKV, snapKVOptions } from "./snapkv.ts";

export interface AdaKVOptions extends SnapKVOptions {
  /** Share of the scored budget that every head keeps whatever its scores, in [0, 1]; default 0.2. */
  readonly floor?: number;
}

export interface AdaPyramidKVOptions extends AdaKVOptions {
  /** Steepness over layers, > 1; default 20. */
  readonly beta?: number;
}

const adaptive = { ...snapKVOptions, floor: share().default(0.2) };

/**
 * AdaKV over SnapKV: heads of a layer share its budget by their scores; exactly.
 *
 * @formula score_j as SnapKV; every head keeps the floor (0.2 of b-w) of its highest, and the rest of KH (b-w) goes to the highest
 *   scores of the layer's heads together.
 * @cost SnapKV's, and a sort of n numbers for each KV head.
 * @memory Exactly the budget on average over the heads of a layer; what a head does not get is not stored. Prefill holds the last w
 *   queries.
 * @helps Where some heads look at few tokens and others at many: most models. It trusts that scores of different heads compare.
 * @see https://arxiv.org/abs/2407.11550
 */
export const adaKV: MethodFactory<AdaKVOptions> = define(
  "adakv",
  { options: adaptive, budgetAbove: "window" },
  ({ floor, ...rest }) => ({ ...snapKV(rest), allocate: adaptiveHeads({ floor }) }),
);

/**
 * AdaKV on PyramidKV's layers: heads share by their scores what the pyramid gives their layer.
 *
 * @formula score_j as SnapKV; layers as PyramidKV; heads of a layer as AdaKV.
 * @cost SnapKV's, and a sort of n numbers for each KV head.
 * @memory Exactly the budget on average over layers and heads. Prefill holds the last w queries.
 * @helps Where both do; where the pyramid hurts, AdaKV alone is better.
 * @see https://arxiv.org/abs/2407.11550
 */
export const adaPyramidKV: MethodFactory<AdaPyramidKVOptions> = define(
  "adapyramidkv",
  { options: { ...adaptive, beta: above(1).default(20) }, budgetAbove: "window" },
  ({ floor, beta, ...rest }) => ({ ...snapKV(rest), allocate: adaptiveHeads({ floor, layers: pyramid({ beta }) }) }),
);
