import type { Model } from "../load.ts";
import { principalDirection } from "../scoring/principal.ts";
import type { Filters } from "../scoring/query-filter.ts";
import { loadMeasured } from "./file.ts";
import { addTo, type MeasureOptions, measurementOf, run } from "./take.ts";

/**
 * Measures Q-Filters: of each query head the first right singular vector of all its queries after RoPE, on the side of their mean,
 * averaged over the heads of a group. Their authors take some 40,000 tokens in sequences of 2,048, and 3,000 queries of them at random;
 * here all queries count.
 *
 * @param sequences tokens of a corpus, each sequence run on its own
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `aborted`
 * @see https://arxiv.org/abs/2503.02812
 */
export async function measureFilters(
  model: Model,
  sequences: readonly Int32Array[],
  options: MeasureOptions = {},
): Promise<Filters> {
  const { layers, kvHeads, queryHeads, headDim: size } = model.config;
  const sums = new Float64Array(layers * queryHeads * size);
  const products = new Float64Array(layers * queryHeads * size * size);
  const add = async (data: Float32Array, head: number) => {
    const count = data.length / size;
    const seen = await model.engine.kernels.moments({ data, dims: [count, 1, size] });
    addTo(sums.subarray(head * size, (head + 1) * size), seen.sums.data);
    addTo(products.subarray(head * size ** 2, (head + 1) * size ** 2), seen.products.data);
  };
  await run(
    model,
    sequences,
    { allQueries: true },
    async ({ queries }) => {
      for (const [layer, data] of queries.entries()) {
        const width = data.length / queryHeads;
        for (let h = 0; h < queryHeads; h++)
          await add(data.subarray(h * width, (h + 1) * width), layer * queryHeads + h);
      }
    },
    options,
  );
  const group = queryHeads / kvHeads;
  const filters = new Float64Array(layers * kvHeads * size);
  for (let head = 0; head < layers * queryHeads; head++) {
    const own = products.subarray(head * size ** 2, (head + 1) * size ** 2);
    const direction = principalDirection(own, sums.subarray(head * size, (head + 1) * size));
    const at = Math.floor(head / group) * size;
    addTo(
      filters.subarray(at, at + size),
      direction.map((value) => value / group),
    );
  }
  const tensor = { data: Float32Array.from(filters), dims: [layers, kvHeads, size] };
  return measurementOf("filters", model, sequences, new Map([["filters", tensor]]), options.settings);
}

/**
 * Loads filters that were measured on this model.
 *
 * @throws KvError `wrong_model` for those of other weights, `corrupt_file`, `unsupported_format` for another kind of file, and whatever
 *   reading a file throws
 */
export const loadFilters = (model: Model, path: string): Promise<Filters> => loadMeasured(model, path, "filters");
