import { pyramid } from "../allocation/pyramid.ts";
import { define } from "./define.ts";
import type { MethodFactory } from "./method.ts";
import { above } from "./options.ts";
import { type SnapKVOptions, snapKV, snapKVOptions } from "./snapkv.ts";

export interface PyramidKVOptions extends SnapKVOptions {
  /** Steepness, > 1: the top layer keeps (budget - window) / beta scored entries; default 20. */
  readonly beta?: number;
}

/**
 * PyramidKV: SnapKV on a schedule that keeps much in low layers and little in high ones.
 *
 * @formula score_j as SnapKV; layer l keeps w + high - l (high - low) / (L-1), low = (b-w) / beta, high = 2 (b-w) - low, rounded to the
 *   exact total; a ramp beyond the prompt is tilted flatter about its mean.
 * @cost SnapKV's: attention of w queries to n keys in every layer.
 * @memory Exactly the budget on average; the lowest layer nearly twice that, the highest little more than the window. Prefill holds the
 *   last w queries.
 * @helps Where attention narrows from layer to layer, as the paper found in large models. On SmolLM2-135M a uniform split does as well
 *   or better.
 * @see https://arxiv.org/abs/2406.02069
 */
export const pyramidKV: MethodFactory<PyramidKVOptions> = define(
  "pyramidkv",
  { options: { ...snapKVOptions, beta: above(1).default(20) }, budgetAbove: "window" },
  ({ beta, ...rest }) => ({ ...snapKV(rest), allocate: pyramid({ beta }) }),
);
