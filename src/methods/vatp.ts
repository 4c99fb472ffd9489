import { uniform } from "../allocation/uniform.ts";
import { accumulatedAttention } from "../scoring/accumulated-attention.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { timesValueNorm } from "../scoring/value-norms.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface VatpOptions {
  /** Entries kept per KV head, sinks and window included; > sinks + window. */
  readonly budget: number;
  /** First tokens, always kept, as their values are short but their attention is needed, >= 0; default 20. */
  readonly sinks?: number;
  /** Last tokens, always kept, >= 1; default 8. */
  readonly window?: number;
}

/**
 * VATP over H2O: the tokens that all queries together attend to most, times how large their values are, and sinks and window.
 *
 * @formula mean over the group of (sum of A[h,i,j] over i) |v_j|_1.
 * @cost Column sums of all attention, as H2O, and the values' norms.
 * @memory `budget` entries per KV head; prefill holds n sums per query head.
 * @helps A little over H2O, where values differ in size; like it, it favours what came early.
 * @see https://arxiv.org/abs/2406.12335
 */
export const vatp: MethodFactory<VatpOptions> = define(
  "vatp",
  { options: { sinks: count(0).default(20), window: count(1).default(8) } },
  ({ sinks, window }) => ({
    keep: firstAndLast(sinks, window),
    score: chain(accumulatedAttention(), meanOverGroup, timesValueNorm),
    allocate: uniform(),
  }),
);
