import type { Tensor } from "../../kernels/index.ts";
import { row } from "../../kernels/tensor.ts";
import { candidateColumns } from "./observed.ts";
import { headStatistics, type QueryStatistics } from "./query-statistics.ts";
import { meanRotation, turned, turnedMatrix } from "./rope.ts";
import type { LayerView, Score } from "./score.ts";

export interface FutureAttentionOptions {
  /** Positions after the prompt over which RoPE is averaged. */
  readonly future: number;
  /** Whether the spread of queries counts, or their mean alone. */
  readonly covariance: boolean;
  /** Null for the prompt's own. */
  readonly statistics: QueryStatistics | null;
}

/**
 * ExpectedAttention's source: the attention that later queries are expected to give to each candidate, if they are drawn from a normal
 * distribution; a softmax over the candidates, per query head.
 *
 * @see https://arxiv.org/abs/2510.00636
 */
export const futureAttention = ({ future, covariance, statistics }: FutureAttentionOptions): Score => ({
  needs: statistics === null ? { moments: true } : {},
  ...(statistics === null ? {} : { namesHeads: true }),
  async evaluate(view) {
    const { kernels, keys } = view;
    const [heads = 0, , size = 0] = view.queries.dims;
    const rotation = meanRotation(view.frequencies, nextPosition(view), future);
    const means = new Float32Array(heads * size);
    const spreads = new Float32Array(covariance ? heads * size * size : 0);
    for (const [h, head] of headStatistics(view, statistics).entries()) {
      const mean = turned(head.mean, rotation);
      means.set(
        mean.map((value) => value / Math.sqrt(size)),
        h * size,
      );
      if (!covariance) continue;
      const spread = turnedMatrix(head.covariance, rotation);
      spreads.set(
        spread.map((value) => value / (2 * size)),
        h * size * size,
      );
    }
    const logits = await kernels.projections(keys, { data: means, dims: [heads, size] });
    if (covariance) {
      const forms = await kernels.quadraticForms(keys, { data: spreads, dims: [heads, size, size] });
      for (const [i, form] of forms.data.entries()) logits.data[i] = (logits.data[i] ?? 0) + form;
    }
    return softmax(candidateColumns(logits, view)); // [H, to - from]
  },
});

/** After the prompt's last, also where entries before it are gone. */
const nextPosition = ({ positions }: LayerView): number => 1 + positions.reduce((most, at) => Math.max(most, at), -1);

/** Of each row. */
function softmax(logits: Tensor): Tensor {
  const [rows = 0, columns = 0] = logits.dims;
  const shares = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const values = row(logits, r);
    const highest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const parts = Float64Array.from(values, (value) => Math.exp(value - highest));
    const total = parts.reduce((sum, part) => sum + part, 0);
    shares.set(
      parts.map((part) => part / total),
      r * columns,
    );
  }
  return { data: shares, dims: logits.dims };
}
