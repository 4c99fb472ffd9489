import { candidateColumns, lastQueries } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * FINCH's source: the attention that the last w prompt tokens, the question, give to each candidate, each times the number of tokens it
 * sees, averaged over them, per query head.
 *
 * @param w tokens of the question; the method keeps them all
 * @see https://arxiv.org/abs/2408.00167
 */
export const relativeAttention = (w: number): Score => ({
  needs: { queries: w },
  async evaluate(view) {
    const { data, dims } = await view.kernels.relativeSums(lastQueries(view, w), view.keys, view);
    return candidateColumns({ data: data.map((sum) => sum / w), dims }, view); // [H, to - from]
  },
});
