import { candidateColumns, observedColumnSums } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * H2O's source: the attention that all prompt tokens give to each candidate, summed over them, per query head.
 *
 * @see https://arxiv.org/abs/2306.14048
 */
export const accumulatedAttention = (): Score => ({
  needs: { columnSums: true },
  async evaluate(view) {
    return candidateColumns(observedColumnSums(view), view); // [H, to - from]
  },
});
