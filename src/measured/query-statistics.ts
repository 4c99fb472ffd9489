import type { Model } from "../load.ts";
import { invalid } from "../options.ts";
import { centred, type QueryStatistics } from "../scoring/query-statistics.ts";
import { loadMeasured } from "./file.ts";
import { addTo, type MeasureOptions, measurementOf, run } from "./take.ts";

/**
 * Measures what ExpectedAttention may use in place of the prompt's own: mean and covariance of each head's queries before RoPE, the
 * first 4 of each sequence left out.
 *
 * @param sequences tokens of a corpus, each sequence run on its own
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `aborted`, `invalid_option` if none is longer than 4 tokens
 * @see https://arxiv.org/abs/2510.00636
 */
export async function measureQueryStatistics(
  model: Model,
  sequences: readonly Int32Array[],
  options: MeasureOptions = {},
): Promise<QueryStatistics> {
  const { layers, queryHeads, headDim: size } = model.config;
  const sums = new Float64Array(layers * queryHeads * size);
  const products = new Float64Array(layers * queryHeads * size * size);
  let count = 0;
  await run(
    model,
    sequences,
    { moments: true },
    ({ moments }) => {
      count += moments?.[0]?.count ?? 0;
      for (const [layer, own] of (moments ?? []).entries()) {
        addTo(sums.subarray(layer * own.sums.length), own.sums);
        addTo(products.subarray(layer * own.products.length), own.products);
      }
    },
    options,
  );
  if (count === 0) throw invalid(["corpus"], "no query beyond the first 4 of a sequence", "of longer sequences");
  const { means, covariances } = centred({ count, sums, products }, size);
  const tensors = new Map([
    ["mean", { data: Float32Array.from(means), dims: [layers, queryHeads, size] }],
    ["covariance", { data: Float32Array.from(covariances), dims: [layers, queryHeads, size, size] }],
  ]);
  return measurementOf("query-statistics", model, sequences, tensors, options.settings);
}

/**
 * Loads query statistics that were measured on this model.
 *
 * @throws KvError `wrong_model` for those of other weights, `corrupt_file`, `unsupported_format` for another kind of file, and whatever
 *   reading a file throws
 */
export const loadQueryStatistics = (model: Model, path: string): Promise<QueryStatistics> =>
  loadMeasured(model, path, "query-statistics");
