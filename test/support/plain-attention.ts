/** The attention of a layer's queries in double precision, by plain loops: what formulas are restated with. */

import type { LayerObservation } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";

/** A[h][i][j] of the last `w` of n queries; 0 for keys that a query does not see. */
export function plainAttention(
  { queries, keys, kvHeads, slidingWindow }: LayerObservation<Tensor>,
  w: number,
): number[][][] {
  const [heads = 0, count = 0, size = 0] = queries.dims;
  const [, length = 0] = keys.dims;
  return Array.from({ length: heads }, (_, h) =>
    Array.from({ length: w }, (_, i) => {
      const position = length - w + i;
      const query = Array.from({ length: size }, (_, c) => queries.data[(h * count + count - w + i) * size + c] ?? 0);
      const kvHead = Math.floor((h * kvHeads) / heads);
      const powers = Array.from({ length }, (_, j) => {
        if (j > position || (slidingWindow !== null && j <= position - slidingWindow)) return 0;
        const product = query.reduce((sum, q, c) => sum + q * (keys.data[(kvHead * length + j) * size + c] ?? 0), 0);
        return Math.exp(product / Math.sqrt(size));
      });
      const total = powers.reduce((sum, power) => sum + power, 0);
      return powers.map((power) => power / total);
    }),
  );
}
