/** Attention says how often an entry is read; these say how much it then adds. Scores that are below 0 would change their order. */
import type { Tensor } from "../tensor.ts";
import { candidateColumns } from "./observed.ts";
import { step } from "./score.ts";

/**
 * Times the sum of absolute values of the entry's value: [KH, m] -> [KH, m].
 *
 * @see https://arxiv.org/abs/2406.12335 VATP
 */
export const timesValueNorm = step("timesValueNorm", async (scores, view) =>
  product(scores, candidateColumns(await view.kernels.valueNorms(view.values), view)),
);

/**
 * Times the same of what the layer's output projection makes of the value, averaged over the query heads that read it:
 * [KH, m] -> [KH, m].
 *
 * @see https://arxiv.org/abs/2502.03805 CriticalKV
 */
export const timesProjectedNorm = step("timesProjectedNorm", async (scores, view) => {
  const { kernels, values, kvHeads } = view;
  const norms = await kernels.groupMean(await kernels.projectedNorms(values, view.outputProjection()), kvHeads);
  return product(scores, candidateColumns(norms, view));
});

const product = ({ data, dims }: Tensor, factors: Tensor): Tensor => ({
  data: data.map((score, i) => score * (factors.data[i] ?? Number.NaN)),
  dims,
});
