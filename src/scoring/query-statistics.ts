/** Mean and covariance of a layer's queries before RoPE: what the prompt's own were, or what was measured on a corpus. */
import type { QueryMoments } from "../observation.ts";
import { type Measured, measuredLayer } from "./measured.ts";
import { observedMoments } from "./observed.ts";
import type { LayerView } from "./score.ts";

export type QueryStatistics = Measured<"query-statistics">;

/** Of one query head. */
export interface HeadStatistics {
  /** [d] */
  readonly mean: Float64Array;
  /** [d, d] */
  readonly covariance: Float64Array;
}

/**
 * One per query head. The first 4 positions, attention sinks, are left out.
 *
 * @param measured null for the prompt's own
 * @throws KvError `observation_missing`, `wrong_shape` for statistics of another model
 */
export function headStatistics(view: LayerView, measured: QueryStatistics | null): readonly HeadStatistics[] {
  const [heads = 0, , size = 0] = view.queries.dims;
  const { means, covariances } =
    measured === null ? centred(observedMoments(view), size) : of(measured, view.layer, heads, size);
  return Array.from({ length: heads }, (_, h) => ({
    mean: means.subarray(h * size, (h + 1) * size),
    covariance: covariances.subarray(h * size ** 2, (h + 1) * size ** 2),
  }));
}

/** From sums over queries to means and covariances, for heads of `size` channels one after the other. */
export function centred({ count, sums, products }: QueryMoments, size: number) {
  const queries = Math.max(1, count); // a prompt of sinks alone has none
  const means = sums.map((sum) => sum / queries);
  const covariances = products.map((product, i) => {
    const row = Math.floor(i / size);
    const column = Math.floor(row / size) * size + (i % size);
    return product / queries - (means[row] ?? 0) * (means[column] ?? 0);
  });
  return { means, covariances };
}

const of = (measured: QueryStatistics, layer: number, heads: number, size: number) => ({
  means: Float64Array.from(measuredLayer(measured, "mean", layer, [heads, size])),
  covariances: Float64Array.from(measuredLayer(measured, "covariance", layer, [heads, size, size])),
});
