import { candidateColumns, lastQueries } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * SnapKV's source: the attention that the last w prompt tokens give to each candidate, summed over them, per query head.
 *
 * @param w window in tokens; the method keeps them all
 * @see https://arxiv.org/abs/2404.14469
 */
export const windowAttention = (w: number): Score => ({
  needs: { queries: w },
  async evaluate(view) {
    const sums = await view.kernels.windowAttention(lastQueries(view, w), view.keys, view);
    return candidateColumns(sums, view); // [H, to - from]
  },
});
