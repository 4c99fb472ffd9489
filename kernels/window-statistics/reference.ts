import { attentionRow } from "../attention-row.ts";
import { attentionShape, checkDims } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { WindowStatistics } from "./index.ts";

export const windowStatistics: WindowStatistics = async (queries, keys, weights, visibility) => {
  const { heads, group, queries: w, length, size } = attentionShape("windowStatistics", queries, keys);
  checkDims("windowStatistics", "weights", tensor(weights, weights.length), [w]);
  const earlier = length - w;
  const [sums, squares] = [new Float64Array(heads * earlier), new Float64Array(heads * earlier)];
  const entropies = new Float64Array(heads);
  for (let h = 0; h < heads; h++) {
    const kvHead = Math.floor(h / group);
    const headKeys = keys.data.subarray(kvHead * length * size, (kvHead + 1) * length * size);
    for (let i = 0; i < w; i++) {
      const query = queries.data.subarray((h * w + i) * size, (h * w + i + 1) * size);
      const attention = attentionRow(query, headKeys, earlier + i, visibility);
      const weight = weights[i] ?? 0;
      for (let j = 0; j < earlier; j++) {
        const mass = attention[j] ?? 0;
        const at = h * earlier + j;
        sums[at] = (sums[at] ?? 0) + weight * mass;
        squares[at] = (squares[at] ?? 0) + weight * mass ** 2;
        if (mass > 0) entropies[h] = (entropies[h] ?? 0) - weight * mass * Math.log(mass);
      }
    }
  }
  return {
    sums: tensor(Float32Array.from(sums), heads, earlier),
    squares: tensor(Float32Array.from(squares), heads, earlier),
    entropies: tensor(Float32Array.from(entropies), heads),
  };
};
