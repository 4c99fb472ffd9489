import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { futureAttention } from "../scoring/future-attention.ts";
import { meanOverGroup } from "../scoring/group.ts";
import type { QueryStatistics } from "../scoring/query-statistics.ts";
import { timesValueLength } from "../scoring/value-length.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { atLeastZero, count, flag, measured } from "./options.ts";

export interface ExpectedAttentionOptions {
  /** Entries kept per KV head, sinks included; > sinks. */
  readonly budget: number;
  /** First tokens, always kept; >= 0, default 4. */
  readonly sinks?: number;
  /** Positions after the prompt over which RoPE is averaged; >= 1, default 512. */
  readonly future?: number;
  /** Whether the spread of queries counts beside their mean; default true. */
  readonly covariance?: boolean;
  /** Whether the expected attention is multiplied by the value's length; default true. */
  readonly valueNorm?: boolean;
  /** Added before that, so that long values count where no attention is expected; >= 0, default 0. */
  readonly epsilon?: number;
  /** Queries as measured on a corpus (`loadQueryStatistics`, `measureQueryStatistics`); default: the prompt's own. */
  readonly statistics?: QueryStatistics | undefined;
}

const options = {
  sinks: count(0).default(4),
  future: count(1).default(512),
  covariance: flag().default(true),
  valueNorm: flag().default(true),
  epsilon: atLeastZero().default(0),
  statistics: measured("query-statistics", "loadQueryStatistics").optional(),
};

/**
 * Expected attention: the entries that the queries still to come are expected to attend to, if they are like those of the prompt. It asks
 * no question, so the cache serves any.
 *
 * @formula e[h,j] = mu[h].k[j]/sqrt(d) + k[j]' Sigma[h] k[j]/(2d), where mu and Sigma are the mean and covariance of q[h] before RoPE from
 *   position 4 on, turned by RoPE's mean over the next 512 positions; score[j] = |v[j]| mean over the group of softmax(e[h])[j].
 * @cost Sums over all queries during prefill; then H d x d forms of each key in every layer.
 * @memory The budget; prefill holds H (d + d x d) numbers a layer for it.
 * @helps Where what is asked is not known yet; a single fact that nothing in the prompt points to is easily lost.
 * @see https://arxiv.org/abs/2510.00636
 */
export const expectedAttention: MethodFactory<ExpectedAttentionOptions> = define(
  "expectedattention",
  { options, budgetAbove: "sinks" },
  ({ sinks, future, covariance, valueNorm, epsilon, statistics = null }) => {
    const expected = chain(futureAttention({ future, covariance, statistics }), meanOverGroup);
    return {
      keep: firstAndLast(sinks, 0),
      score: valueNorm ? chain(expected, timesValueLength(epsilon)) : expected,
      allocate: uniform(),
    };
  },
);
