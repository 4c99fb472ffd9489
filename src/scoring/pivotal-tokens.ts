import { candidateColumns, lastQueries } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * Scissorhands' source: how many of the last w prompt tokens look at each candidate more than at the average one, per query head.
 *
 * @param w history window in tokens, or all of a shorter prompt
 * @see https://arxiv.org/abs/2305.17118
 */
export const pivotalTokens = (w: number): Score => ({
  needs: { queries: w },
  async evaluate(view) {
    const history = lastQueries(view, Math.min(w, view.length));
    return candidateColumns(await view.kernels.aboveAverage(history, view.keys, view), view); // [H, to - from]
  },
});
