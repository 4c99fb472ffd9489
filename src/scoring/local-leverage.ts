import type { Stored, Tensor } from "../../kernels/index.ts";
import { candidateColumns } from "./observed.ts";
import type { LayerView, Score } from "./score.ts";
import { gaussianSketch, product, transposed } from "./sketch.ts";

/** Whose leverage counts: keys', values', their product or their mean. */
export type LeverageOf = "product" | "mean" | "key" | "value";

export interface LocalLeverageOptions {
  readonly of: LeverageOf;
  /** Neighbours among which an entry's squared length is a share; 0 for the whole prompt. */
  readonly local: number;
  /** Channels that keys and values are shortened to at random before; 0 for none of that. */
  readonly sketch: number;
  /** Of the random matrix, which all layers and heads share. */
  readonly seed: number;
}

/**
 * CurDKV's source: entries whose keys and values are long beside their neighbours', the cheap estimate of their leverage in a CUR
 * decomposition. Each head sums to 1 over the prompt.
 *
 * @see https://arxiv.org/abs/2509.15038
 */
export const localLeverage = ({ of, local, sketch, seed }: LocalLeverageOptions): Score => ({
  needs: {},
  async evaluate(view) {
    const shares = async (entries: Stored) => sharesWithin(await squaredLengths(view, entries, sketch, seed), local);
    const ofKeys = await shares(view.keys);
    const ofValues = await shares(view.values);
    const data = ofKeys.data.map((key, i) => joined[of](key, ofValues.data[i] ?? 0));
    return candidateColumns(sharesWithin({ data, dims: ofKeys.dims }, 0), view); // [KH, to - from]
  },
});

const joined: Readonly<Record<LeverageOf, (key: number, value: number) => number>> = {
  product: (key, value) => key * value,
  mean: (key, value) => (key + value) / 2,
  key: (key) => key,
  value: (_, value) => value,
};

/** [KH, n, d] -> [KH, n] */
async function squaredLengths({ kernels }: LayerView, entries: Stored, sketch: number, seed: number): Promise<Tensor> {
  const [heads = 0, , size = 0] = entries.dims;
  if (sketch === 0) {
    const { data, dims } = await kernels.keyNorms(entries);
    return { data: data.map((norm) => norm ** 2), dims };
  }
  const matrix = gaussianSketch(seed, size, sketch);
  const square = product(matrix, transposed(matrix, [size, sketch]), [size, sketch, size]);
  const data = new Float32Array(heads * size * size);
  for (let head = 0; head < heads; head++) data.set(square, head * size * size);
  return kernels.quadraticForms(entries, { data, dims: [heads, size, size] });
}

/** Each number's share of its stretch of a row; 0 where all are 0. @param stretch 0 for the whole row */
function sharesWithin({ data, dims }: Tensor, stretch: number): Tensor {
  const [rows = 0, columns = 0] = dims;
  const shares = new Float32Array(data.length);
  const width = stretch === 0 ? columns : stretch;
  for (let r = 0; r < rows; r++)
    for (let from = 0; from < columns; from += width) {
      const part = data.subarray(r * columns + from, r * columns + Math.min(from + width, columns));
      const total = part.reduce((sum, value) => sum + value, 0);
      if (total > 0)
        shares.set(
          part.map((value) => value / total),
          r * columns + from,
        );
    }
  return { data: shares, dims };
}
