import type { Tensor } from "../../kernels/index.ts";
import { candidateRows } from "./candidate-rows.ts";
import { allQueries } from "./observed.ts";
import type { Score } from "./score.ts";

export interface ChunkedAttentionOptions {
  /** Candidates in a chunk, >= 1. */
  readonly chunk: number;
  /** Fills the last chunk with zero vectors that attend and are attended to, as published code does; default false. */
  readonly padded?: boolean;
}

/**
 * Compactor's source: the attention that each candidate receives from its chunk of neighbours, later and earlier ones alike, summed over
 * them, per query head. Products are not divided by sqrt(d), as its authors have it. It needs all queries.
 *
 * @see https://arxiv.org/abs/2507.08143
 */
export const chunkedAttention = ({ chunk, padded = false }: ChunkedAttentionOptions): Score => ({
  needs: { queries: Number.POSITIVE_INFINITY },
  async evaluate(view) {
    const queries = candidateRows(allQueries(view), view);
    const keys = candidateRows(await view.kernels.read(view.keys), view);
    if (!padded) return view.kernels.chunkAttention(queries, keys, chunk); // [H, to - from]
    const [heads = 0, columns = 0] = queries.dims;
    const length = chunk * Math.ceil(columns / chunk);
    const { data } = await view.kernels.chunkAttention(filled(queries, length), filled(keys, length), chunk);
    return { data: data.filter((_, i) => i % length < columns), dims: [heads, columns] };
  },
});

/** Zeros after each head's vectors: [heads, n, d] -> [heads, length, d]. */
function filled({ data, dims: [heads = 0, count = 0, size = 0] }: Tensor, length: number): Tensor {
  const longer = new Float32Array(heads * length * size);
  for (let head = 0; head < heads; head++)
    longer.set(data.subarray(head * count * size, (head + 1) * count * size), head * length * size);
  return { data: longer, dims: [heads, length, size] };
}
