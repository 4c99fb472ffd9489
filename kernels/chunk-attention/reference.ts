import { chunkShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { ChunkAttention } from "./index.ts";

export const chunkAttention: ChunkAttention = async (queries, keys, chunk) => {
  const { heads, group, length, size } = chunkShape("chunkAttention", queries, keys, chunk);
  const sums = new Float32Array(heads * length);
  for (let h = 0; h < heads; h++)
    for (let from = 0; from < length; from += chunk) {
      const to = Math.min(from + chunk, length);
      const mass = new Float64Array(to - from);
      for (let i = from; i < to; i++) {
        const logits = Array.from(mass, (_, j) => {
          let product = 0;
          for (let c = 0; c < size; c++) {
            const key = keys.data[(Math.floor(h / group) * length + from + j) * size + c] ?? 0;
            product += (queries.data[(h * length + i) * size + c] ?? 0) * key;
          }
          return product;
        });
        const highest = Math.max(...logits);
        const parts = logits.map((logit) => Math.exp(logit - highest));
        const total = parts.reduce((sum, part) => sum + part, 0);
        for (const [j, part] of parts.entries()) mass[j] = (mass[j] ?? 0) + part / total;
      }
      sums.set(mass, h * length + from);
    }
  return tensor(sums, heads, length);
};
