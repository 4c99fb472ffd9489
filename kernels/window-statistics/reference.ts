import { attentionRows } from "../attention-rows.ts";
import { attentionShape, checkDims } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { WindowStatistics } from "./index.ts";

export const windowStatistics: WindowStatistics<Tensor> = async (queries, keys, weights, visibility) => {
  const shape = attentionShape("windowStatistics", queries, keys);
  const { heads, queries: w, length } = shape;
  checkDims("windowStatistics", "weights", tensor(weights, weights.length), [w]);
  const earlier = length - w;
  const [sums, squares] = [new Float64Array(heads * earlier), new Float64Array(heads * earlier)];
  const entropies = new Float64Array(heads);
  for (const { head, query, attention } of attentionRows(shape, queries, keys, visibility)) {
    const weight = weights[query] ?? 0;
    for (let j = 0; j < earlier; j++) {
      const mass = attention[j] ?? 0;
      const at = head * earlier + j;
      sums[at] = (sums[at] ?? 0) + weight * mass;
      squares[at] = (squares[at] ?? 0) + weight * mass ** 2;
      if (mass > 0) entropies[head] = (entropies[head] ?? 0) - weight * mass * Math.log(mass);
    }
  }
  return {
    sums: tensor(Float32Array.from(sums), heads, earlier),
    squares: tensor(Float32Array.from(squares), heads, earlier),
    entropies: tensor(Float32Array.from(entropies), heads),
  };
};
