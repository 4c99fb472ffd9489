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

/** AdaKV over SnapKV: heads of a layer share its budget by their scores; exactly. @see https://arxiv.org/abs/2407.11550 */
export const adaKV: MethodFactory<AdaKVOptions> = define(
  "adakv",
  { options: adaptive, budgetAbove: "window" },
  ({ floor, ...rest }) => ({ ...snapKV(rest), allocate: adaptiveHeads({ floor }) }),
);

/** The same on PyramidKV's schedule over layers. @see https://arxiv.org/abs/2407.11550 */
export const adaPyramidKV: MethodFactory<AdaPyramidKVOptions> = define(
  "adapyramidkv",
  { options: { ...adaptive, beta: above(1).default(20) }, budgetAbove: "window" },
  ({ floor, beta, ...rest }) => ({ ...snapKV(rest), allocate: adaptiveHeads({ floor, layers: pyramid({ beta }) }) }),
);
