import { candidateColumns, lastQueries } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * The most that any of the last w prompt tokens attends to each candidate, per query head: what one of them looks up is not averaged away by
 * the others.
 *
 * @param w window in tokens; the method keeps them all
 */
export const peakAttention = (w: number): Score => ({
  needs: { queries: w },
  async evaluate(view) {
    return candidateColumns(await view.kernels.columnMax(lastQueries(view, w), view.keys, view), view); // [H, to - from]
  },
});
