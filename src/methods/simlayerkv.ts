import { lazyLayers } from "../allocation/lazy-layers.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { maxPool } from "../scoring/pool.ts";
import { windowAttention } from "../scoring/window-attention.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count, share } from "./options.ts";

export interface SimLayerKVOptions {
  /** Entries kept per KV head on average, sinks and recent ones included; > sinks + recent. */
  readonly budget: number;
  /** First tokens, all that a lazy layer keeps beside the recent ones, >= 0; default 4. */
  readonly sinks?: number;
  /** Last tokens, likewise, >= 1; default 28. Published as 1,024, for prompts of many thousands. */
  readonly recent?: number;
  /** A layer is lazy that gives these tokens more than this share of its attention, in [0, 1]; default 0.9, as for Llama 3. */
  readonly threshold?: number;
  /** Last queries that tell lazy layers, >= 1; default 1. */
  readonly queries?: number;
}

/** Queries whose attention chooses what the other layers keep: SnapKV's. */
const WINDOW = 8;

/**
 * SimLayerKV: lazy layers, which look at the first and the last tokens only, keep just those; the others share what is left of the
 * budget and choose by SnapKV's scores.
 *
 * The published method lets the others keep everything, whatever that costs; so does this one, where the budget has room for it.
 *
 * @formula layer l is lazy if the mean over h of the sum of A[h,n-1,j] over j < sinks and j >= n - recent is above the threshold.
 * @cost The attention of the last queries, as SnapKV.
 * @memory `budget` entries per KV head on average; what the other layers keep is the more, the more layers are lazy.
 * @helps Where whole layers attend to the ends alone; where none is above the threshold it is SnapKV with sinks.
 * @see https://arxiv.org/abs/2410.13846
 */
export const simLayerKV: MethodFactory<SimLayerKVOptions> = define(
  "simlayerkv",
  {
    options: {
      sinks: count(0).default(4),
      recent: count(1).default(28),
      threshold: share().default(0.9),
      queries: count(1).default(1),
    },
  },
  ({ sinks, recent, threshold, queries }) => ({
    keep: firstAndLast(sinks, recent),
    score: chain(windowAttention(Math.min(WINDOW, recent)), meanOverGroup, maxPool(7)),
    allocate: lazyLayers({ first: sinks, last: recent, queries, threshold }),
  }),
);
