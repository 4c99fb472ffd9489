import { layerUncertainty } from "../allocation/layer-uncertainty.ts";
import { define } from "./define.ts";
import type { MethodFactory } from "./method.ts";
import { positiveShare, share } from "./options.ts";
import { type SnapKVOptions, snapKV, snapKVOptions } from "./snapkv.ts";

export interface ZigZagKVOptions extends SnapKVOptions {
  /** How much of its attention a layer should keep, in (0, 1]; default 0.9. */
  readonly share?: number;
  /** The part of the budget that all layers have alike, in [0, 1]; default 0.2. */
  readonly floor?: number;
}

/**
 * ZigZagKV: SnapKV's tokens, on layers that get the more, the more tokens they need for most of their attention.
 *
 * @formula S_w as SnapKV; u_l = mean over h of the least number of j < n-w that together have 0.9 of the sum of S_w[h,j]; layer l keeps
 *   w + (b-w) (0.2 + 0.8 L u_l / sum u), rounded to the exact total.
 * @cost Attention of w queries to n keys in every layer, twice, and a sort of n numbers for each query head.
 * @memory Exactly the budget; the heads of a layer hold the same. Prefill holds the last w queries, and all layers until the last is
 *   looked at.
 * @helps Where some layers look at a few tokens and others at many. It measures one window: layers that will need more for a later
 *   question do not show.
 * @see https://arxiv.org/abs/2412.09036
 */
export const zigZagKV: MethodFactory<ZigZagKVOptions> = define(
  "zigzagkv",
  {
    options: { ...snapKVOptions, share: positiveShare().default(0.9), floor: share().default(0.2) },
    budgetAbove: "window",
  },
  ({ share, floor, ...rest }) => ({
    ...snapKV(rest),
    allocate: layerUncertainty({ window: rest.window, share, floor }),
  }),
);
