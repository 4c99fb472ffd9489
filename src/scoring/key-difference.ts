import { candidateColumns } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * Keys unlike the others first: the negative cosine of each key and its head's mean direction. It asks no query.
 *
 * @see https://arxiv.org/abs/2504.15364
 */
export const keyDifference = (): Score => ({
  needs: {},
  async evaluate(view) {
    const { data, dims } = await view.kernels.keySimilarity(view.keys);
    return candidateColumns({ data: data.map((cosine) => -cosine), dims }, view); // [KH, to - from]
  },
});
