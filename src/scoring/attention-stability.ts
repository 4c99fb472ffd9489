import { invalid } from "../options.ts";
import { candidateColumns } from "./observed.ts";
import type { Score } from "./score.ts";
import { sampleVariance, windowMoments } from "./window-moments.ts";

export interface AttentionStabilityOptions {
  /** Last queries that are looked at, >= 2; the method keeps them all. */
  readonly window: number;
  /** What a unit of variance counts beside the mean, >= 0; default 200. */
  readonly gamma?: number;
}

/**
 * CAKE's eviction indicator, per query head: the mean of what the window's queries give to a candidate, plus `gamma` times its variance
 * over them (of a sample, so divided by `window - 1`): a token that some of them need and others do not may be needed again.
 *
 * @throws KvError `invalid_option` for other options
 * @see https://arxiv.org/abs/2503.12491
 */
export function attentionStability({ window, gamma = 200 }: AttentionStabilityOptions): Score {
  const path = "attentionStability";
  if (!(Number.isSafeInteger(window) && window >= 2)) throw invalid([path, "window"], window, "an integer >= 2");
  if (!(Number.isFinite(gamma) && gamma >= 0)) throw invalid([path, "gamma"], gamma, "a finite number >= 0");
  return {
    needs: { queries: window },
    async evaluate(view) {
      const { sums, squares } = await windowMoments(view, window);
      const data = sums.data.map((sum, i) => sum / window + gamma * sampleVariance(sum, squares.data[i] ?? 0, window));
      return candidateColumns({ data, dims: sums.dims }, view); // [H, to - from]
    },
  };
}
