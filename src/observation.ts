/** What prefill sees of a prompt's attention, for the scores of compression methods. */
import type { ChunkView, Engine } from "./engine/index.ts";
import type { Tensor } from "./tensor.ts";

/** One tensor per layer. */
export interface Observation {
  /** Each layer's last queries after RoPE: [H, count, d]. */
  readonly queries: readonly Tensor[];
  /** Attention that each position received from all queries, [H, n]; null unless an observed method asked for it. */
  readonly columnSums: readonly Tensor[] | null;
}

/** Adds up, chunk by chunk, the attention that every position receives; fp64, since thousands of terms meet in one sum. */
export function columnSums({ kernels, config }: Engine, length: number) {
  const { layers, queryHeads, kvHeads, headDim, slidingWindow } = config;
  const totals = Array.from({ length: layers }, () => new Float64Array(queryHeads * length));
  const visit = async ({ start, end, queries, keys }: ChunkView): Promise<void> => {
    for (const [layer, total] of totals.entries()) {
      const sums = await kernels.columnSums(
        { data: queries(layer), dims: [queryHeads, end - start, headDim] },
        { data: keys(layer), dims: [kvHeads, end, headDim] },
        { slidingWindow: slidingWindow[layer] ?? null },
      );
      for (let head = 0; head < queryHeads; head++) {
        for (let j = 0; j < end; j++)
          total[head * length + j] = (total[head * length + j] ?? 0) + (sums.data[head * end + j] ?? 0);
      }
    }
  };
  return {
    visit,
    finish: (): Tensor[] => totals.map((total) => ({ data: Float32Array.from(total), dims: [queryHeads, length] })),
  };
}
