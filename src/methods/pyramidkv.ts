import { pyramid } from "../allocation/pyramid.ts";
import { define } from "./define.ts";
import type { MethodFactory } from "./method.ts";
import { above } from "./options.ts";
import { type SnapKVOptions, snapKV, snapKVOptions } from "./snapkv.ts";

export interface PyramidKVOptions extends SnapKVOptions {
  /** Steepness, > 1: the top layer keeps (budget - window) / beta scored entries; default 20. */
  readonly beta?: number;
}

/** PyramidKV: SnapKV on a schedule that keeps much in low layers and little in high ones. @see https://arxiv.org/abs/2406.02069 */
export const pyramidKV: MethodFactory<PyramidKVOptions> = define(
  "pyramidkv",
  { options: { ...snapKVOptions, beta: above(1).default(20) }, budgetAbove: "window" },
  ({ beta, ...rest }) => ({ ...snapKV(rest), allocate: pyramid({ beta }) }),
);
