import { candidateColumns } from "./observed.ts";
import type { Score } from "./score.ts";

/**
 * Short keys first: the negative length of each key. Tokens that attract attention tend to have short keys.
 *
 * @see https://arxiv.org/abs/2406.11430
 */
export const keyNorm = (): Score => ({
  needs: {},
  async evaluate(view) {
    const { data, dims } = await view.kernels.keyNorms(view.keys);
    return candidateColumns({ data: data.map((norm) => -norm), dims }, view); // [KH, to - from]
  },
});
