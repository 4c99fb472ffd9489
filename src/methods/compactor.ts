import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import type { ChunkedAttentionOptions } from "../scoring/chunked-attention.ts";
import { weightedSum } from "../scoring/combine.ts";
import { keyLeverage } from "../scoring/key-leverage.ts";
import type { Score } from "../scoring/score.ts";
import { standardise } from "../scoring/standardise.ts";
import { define } from "./define.ts";
import { leverageOptions } from "./leverage-score.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { nonCausal } from "./non-causal-attention.ts";
import { count, share } from "./options.ts";

export interface CompactorOptions {
  /** Entries kept per KV head, sinks and window included; > sinks + window. */
  readonly budget: number;
  /** First tokens, always kept; >= 0, default 8. */
  readonly sinks?: number;
  /** Last tokens, always kept; >= 0, default 4. */
  readonly window?: number;
  /** Tokens in a chunk of attention; >= 1, default 256. */
  readonly chunk?: number;
  /** Channels that keys are shortened to at random for their leverage; >= 1, default 48. */
  readonly sketch?: number;
  /** Of the random matrix, a safe integer; default 0. */
  readonly seed?: number;
  /** Weight of leverage beside attention, in [0, 1]; default: the share of the prompt that is evicted. */
  readonly blending?: number | undefined;
}

export const compactorOptions = {
  sinks: count(0).default(8),
  window: count(0).default(4),
  chunk: count(1).default(256),
  ...leverageOptions,
  blending: share().optional(),
};

interface Blend {
  readonly budget: number;
  readonly sketch: number;
  readonly seed: number;
  readonly attention: ChunkedAttentionOptions;
  readonly blending?: number | undefined;
}

/** Its score: [KH, m]. */
export function compactorScore({ budget, blending, attention, ...leverage }: Blend): Score {
  const [outliers, attended] = [chain(keyLeverage(leverage), standardise), nonCausal(attention)];
  const blend = (weight: number) => weightedSum([weight, outliers], [1, attended]);
  return { ...blend(1), evaluate: (view) => blend(blending ?? 1 - budget / view.length).evaluate(view) };
}

/**
 * Compactor: keys that no others can stand in for, and what neighbours attend to, blended: the more is evicted, the more the former.
 *
 * @formula score[j] = lambda leverage[j] + noncausal[j], the scores of those two methods among all but the first 8 and last 4 tokens;
 *   lambda = 1 - b/n.
 * @cost That of both: 10 % of prefill at n = 2000, 14 % at 1000, 17 % at 500; and prefill itself takes 5 to 7 % more to hold all queries
 *   (2026-11).
 * @memory The budget; prefill holds all queries for it, n x H x d numbers a layer.
 * @helps Where what is asked is not known yet; not while a prompt is compressed in blocks.
 * @see https://arxiv.org/abs/2507.08143
 */
export const compactor: MethodFactory<CompactorOptions> = define(
  "compactor",
  { options: compactorOptions },
  ({ sinks, window, chunk, ...rest }) => ({
    keep: firstAndLast(sinks, window),
    score: compactorScore({ ...rest, attention: { chunk } }),
    allocate: uniform(),
  }),
);
