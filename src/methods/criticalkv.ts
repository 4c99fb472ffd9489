import { adaptiveHeads, countsOf } from "../allocation/adaptive-heads.ts";
import { byScore } from "../allocation/by-score.ts";
import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { firstBest } from "../scoring/first-best.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { offset } from "../scoring/offset.ts";
import { scale } from "../scoring/scale.ts";
import type { Score, Step } from "../scoring/score.ts";
import { timesProjectedNorm } from "../scoring/value-norms.ts";
import { windowAttention } from "../scoring/window-attention.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { share } from "./options.ts";
import { type SnapKVOptions, snapKVOptions } from "./snapkv.ts";

export interface CriticalKVOptions extends SnapKVOptions {
  /** Share of the scored budget that is chosen by attention alone, in [0, 1]; default 0.5. */
  readonly first?: number;
}

export interface CriticalAdaKVOptions extends CriticalKVOptions {
  /** Share of the scored budget that every head keeps whatever its scores, in [0, 1]; default 0.2. */
  readonly floor?: number;
}

const options = { ...snapKVOptions, first: share().default(0.5) };
/** So that what is never attended to is told apart by its value too: as the authors have it, beside the mean attention of a query. */
const EPSILON = 1e-4;

const attention = (window: number, pool: Step): Score =>
  chain(windowAttention(window), scale(1 / window), meanOverGroup, pool, offset(EPSILON));

/**
 * CriticalKV over SnapKV: half of the budget by attention, the other half by attention times how much the entry's value adds to the
 * layer's output. Over any other score s that is never negative it is `chain(s, firstBest(count, timesProjectedNorm))`.
 *
 * @formula the best first (b - w) by a = pool of the mean over the group of S_w[h,j] / w, plus 1e-4; the rest by a, times the mean over the
 *   group of |W_h v_j|_1, W_h the head's columns of the output projection.
 * @cost As SnapKV, and the values through the output projection once for every query head: n H d hidden products a layer.
 * @memory `budget` entries per KV head; prefill holds the last w queries.
 * @helps Where values differ in size, most at small budgets; not where SnapKV's own window looks at the wrong tokens.
 * @see https://arxiv.org/abs/2502.03805
 */
export const criticalKV: MethodFactory<CriticalKVOptions> = define(
  "criticalkv",
  { options, budgetAbove: "window" },
  ({ budget, window, pool, first }) => ({
    keep: lastTokens(window),
    score: chain(
      attention(window, pool),
      firstBest(Math.floor(first * Math.max(0, budget - window)), timesProjectedNorm),
    ),
    allocate: uniform(),
  }),
);

/**
 * CriticalKV with AdaKV's heads: attention alone says how much each head of a layer keeps, and each keeps half of that by attention and half
 * by attention times what the value adds.
 *
 * @formula as CriticalKV, with each head's own budget from AdaKV on a.
 * @cost As CriticalKV.
 * @memory `budget` entries per KV head on average; prefill holds the last w queries.
 * @helps Where CriticalKV does and heads differ in how far they look.
 * @see https://arxiv.org/abs/2502.03805
 */
export const criticalAdaKV: MethodFactory<CriticalAdaKVOptions> = define(
  "criticaladakv",
  { options: { ...options, floor: share().default(0.2) }, budgetAbove: "window" },
  ({ budget, window, pool, first, floor }) => {
    const base = attention(window, pool);
    const mean = Math.max(0, budget - window);
    const counts: Parameters<typeof firstBest>[0] = (scores) => {
      const [heads = 0] = scores.dims;
      return countsOf(scores, mean * heads, Math.floor(floor * mean)).map((own) => Math.floor(first * own));
    };
    return {
      keep: lastTokens(window),
      score: chain(base, firstBest(counts, timesProjectedNorm)),
      allocate: byScore(base, adaptiveHeads({ floor })),
    };
  },
);
