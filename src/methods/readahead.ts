import { adaptiveHeads } from "../allocation/adaptive-heads.ts";
import { chain } from "../scoring/chain.ts";
import { weightedSum } from "../scoring/combine.ts";
import { maxOverGroup } from "../scoring/group.ts";
import { keyDifference } from "../scoring/key-difference.ts";
import { logarithm } from "../scoring/logarithm.ts";
import { peakAttention } from "../scoring/peak-attention.ts";
import { readOn } from "../scoring/read-on.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { atLeastZero, belowOne, count, share } from "./options.ts";

export interface ReadAheadOptions {
  /** Entries kept per KV head, on average over a layer's heads, window included; > window. */
  readonly budget: number;
  /** Last tokens, always kept; >= 1; default 8. */
  readonly window?: number;
  /** Last tokens whose attention is looked at; >= 1; default 4. */
  readonly queries?: number;
  /** What is left of a token's score for the next one, in [0, 1); 0 reads nothing ahead; default 0.8. */
  readonly fade?: number;
  /** What a factor of e in attention counts beside a cosine of 1; >= 0; default 0.1. */
  readonly attention?: number;
  /** Share of a layer's scored budget that every head keeps whatever its scores, in [0, 1]; default 0.2. */
  readonly floor?: number;
}

/**
 * readAhead: what the last tokens look up and what follows it in the text, and keys unlike the others; heads of a layer share its budget by
 * these scores. An answer that copies is read on from where it began, so the next queries look where the last ones did, a token further.
 *
 * @formula s_j = -cos(k_j, mean of k_i/|k_i|) + a ln(r_j), r_j = max over i <= j of fade^(j-i) max over the last q queries and the group of
 *   A[h,.,i]; counts of each head in the layer's highest, floor of the budget shared evenly
 * @cost Attention of q queries to n keys, and a cosine of each key, in every layer.
 * @memory Exactly the budget; the heads of a layer hold unequally many. Prefill holds the last q queries.
 * @helps PENDING
 * @see https://github.com/pyramidkv of this project: docs/methods/readahead.md says how it was found
 */
export const readAhead: MethodFactory<ReadAheadOptions> = define(
  "readahead",
  {
    options: {
      window: count(1).default(8),
      queries: count(1).default(4),
      fade: belowOne().default(0.8),
      attention: atLeastZero().default(0.1),
      floor: share().default(0.2),
    },
    budgetAbove: "window",
  },
  ({ window, queries, fade, attention, floor }) => ({
    keep: lastTokens(window),
    score: weightedSum(
      [1, keyDifference()],
      [attention, chain(peakAttention(queries), maxOverGroup, readOn(fade), logarithm)],
    ),
    allocate: adaptiveHeads({ floor }),
  }),
);
