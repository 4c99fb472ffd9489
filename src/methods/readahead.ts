import { adaptiveHeads } from "../allocation/adaptive-heads.ts";
import { chain } from "../scoring/chain.ts";
import { maxOverGroup } from "../scoring/group.ts";
import { peakAttention } from "../scoring/peak-attention.ts";
import { readOn } from "../scoring/read-on.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { belowOne, count, share } from "./options.ts";

export interface ReadAheadOptions {
  /** Entries kept per KV head, on average over a layer's heads, window included; > window. */
  readonly budget: number;
  /** Last tokens, whose attention is the score; always kept; default 8. */
  readonly window?: number;
  /** What a token leaves of its score to the next one, in [0, 1); 0 reads nothing ahead; default 0.85. */
  readonly fade?: number;
  /** Share of a layer's scored budget that every head keeps whatever its scores, in [0, 1]; default 0.2. */
  readonly floor?: number;
}

/**
 * ReadAhead: what any of the last `window` tokens looks up, and what follows it in the text; heads of a layer share its budget by these scores.
 * An answer that copies is read on from where it began, so later queries look where the last ones did, some tokens further.
 *
 * @formula s_j = max over i <= j of fade^(j-i) peak_i, peak_i = max over the last w queries and the query heads of the group of A[h,.,i];
 *   each head keeps floor of the layer's mean, the rest goes to the layer's highest s.
 * @cost Attention of w queries to n keys in every layer, as SnapKV's.
 * @memory Exactly the budget; the heads of a layer hold unequally many. Prefill holds the last w queries.
 * @helps Where the end of the prompt asks for something that stands in it, in small budgets above all. Where what is asked for comes after
 *   compression, as everything that looks at the prompt's last queries, it keeps what the wrong ones looked up.
 * @see https://arxiv.org/abs/2209.11895 In-context learning and induction heads, which read on in this way
 */
export const readAhead: MethodFactory<ReadAheadOptions> = define(
  "readahead",
  {
    options: { window: count(1).default(8), fade: belowOne().default(0.85), floor: share().default(0.2) },
    budgetAbove: "window",
  },
  ({ window, fade, floor }) => ({
    keep: lastTokens(window),
    score: chain(peakAttention(window), maxOverGroup, readOn(fade)),
    allocate: adaptiveHeads({ floor }),
  }),
);
