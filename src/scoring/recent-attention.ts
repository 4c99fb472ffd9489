import { invalid } from "../options.ts";
import { candidateColumns, lastQueries } from "./observed.ts";
import type { Score } from "./score.ts";

export interface RecentAttentionOptions {
  /** Last queries that are looked at, >= 1; the method keeps them all. */
  readonly window: number;
  /** What the last query counts where the first of the window counts 1, > 0; default 1.2. Between them it grows evenly. */
  readonly weight?: number;
}

/**
 * PyramidInfer's score, per query head: the mean attention of the last tokens to each candidate, the later tokens' weighing more.
 *
 * @throws KvError `invalid_option` for other options
 * @see https://arxiv.org/abs/2405.12532
 */
export function recentAttention({ window, weight = 1.2 }: RecentAttentionOptions): Score {
  const path = "recentAttention";
  if (!(Number.isSafeInteger(window) && window >= 1)) throw invalid([path, "window"], window, "an integer >= 1");
  if (!(Number.isFinite(weight) && weight > 0)) throw invalid([path, "weight"], weight, "a finite number > 0");
  const slope = window === 1 ? 0 : (weight - 1) / (window - 1);
  const weights = Float32Array.from({ length: window }, (_, i) => (1 + slope * i) / window);
  return {
    needs: { queries: window },
    async evaluate(view) {
      const { sums } = await view.kernels.windowStatistics(lastQueries(view, window), view.keys, weights, view);
      return candidateColumns(sums, view); // [H, to - from]
    },
  };
}
