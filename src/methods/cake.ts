import { layerPreference } from "../allocation/layer-preference.ts";
import { attentionStability } from "../scoring/attention-stability.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { avgPool } from "../scoring/pool.ts";
import type { Step } from "../scoring/score.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { above, atLeastZero, count, pool } from "./options.ts";

export interface CakeOptions {
  /** Entries kept per KV head, window included; > window. */
  readonly budget: number;
  /** Last tokens, whose attention is looked at; always kept; >= 2; default 8 (the paper's code: 32). */
  readonly window?: number;
  /** What a unit of variance counts beside the mean attention, >= 0; default 200. */
  readonly gamma?: number;
  /** tau_1: how little a layer's entropy counts, > 0; default 1. */
  readonly dispersion?: number;
  /** tau_2: how little a layer's variance counts, > 0; default 1. */
  readonly shift?: number;
  /** Pools the scores of neighbours, after the mean over query heads; default avgPool(5). */
  readonly pool?: Step;
}

/**
 * CAKE: the tokens that the last `window` tokens attend to, or attend to some of the time; layers whose attention is spread out and
 * moves get more.
 *
 * @formula score_j = mean_i A[h,i,j] + gamma var_i A[h,i,j] over i = n-w .. n-1, averaged over the group, pooled; layer l has the share
 *   P_l / sum P of the budget, P_l = H^(1/tau_1) V^(1/tau_2), H = -sum A ln A and V = sum_j var_i A[h,i,j], both over all heads and j <
 *   n-w.
 * @cost Attention of w queries to n keys in every layer, twice: once for the layers' shares, once for the scores.
 * @memory Exactly the budget; the heads of a layer hold the same. Prefill holds the last w queries, and all layers until the last is
 *   looked at.
 * @helps Where layers differ in how widely they look. The paper searches tau_1 and tau_2 for each model and budget; with 1 and 1 the
 *   layers' shares can be extreme, so that a layer keeps little beyond the window.
 * @see https://arxiv.org/abs/2503.12491
 */
export const cake: MethodFactory<CakeOptions> = define(
  "cake",
  {
    options: {
      window: count(2).default(8),
      gamma: atLeastZero().default(200),
      dispersion: above(0).default(1),
      shift: above(0).default(1),
      pool: pool().default(() => avgPool(5)),
    },
    budgetAbove: "window",
  },
  ({ window, gamma, dispersion, shift, pool }) => ({
    keep: lastTokens(window),
    score: chain(attentionStability({ window, gamma }), meanOverGroup, pool),
    allocate: layerPreference({ window, dispersion, shift }),
  }),
);
