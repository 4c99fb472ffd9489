import { chunkShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ChunkAttention } from "./index.ts";

export const chunkAttention: ChunkAttention<Tensor> = async (queries, keys, chunk) => {
  const { heads, group, length, size } = chunkShape("chunkAttention", queries, keys, chunk);
  const sums = new Float32Array(heads * length);
  for (let h = 0; h < heads; h++) {
    const first = Math.floor(h / group) * length; // of the head's keys
    for (let from = 0; from < length; from += chunk) {
      const count = Math.min(chunk, length - from);
      const mass = new Float64Array(count);
      for (let i = from; i < from + count; i++) {
        const row = new Float64Array(count);
        let highest = Number.NEGATIVE_INFINITY;
        for (let j = 0; j < count; j++) {
          let product = 0;
          for (let c = 0; c < size; c++)
            product +=
              (queries.data[(h * length + i) * size + c] ?? 0) * (keys.data[(first + from + j) * size + c] ?? 0);
          row[j] = product;
          highest = Math.max(highest, product);
        }
        let total = 0;
        for (let j = 0; j < count; j++) total += Math.exp((row[j] ?? 0) - highest);
        for (let j = 0; j < count; j++) mass[j] = (mass[j] ?? 0) + Math.exp((row[j] ?? 0) - highest) / total;
      }
      sums.set(mass, h * length + from);
    }
  }
  return tensor(sums, heads, length);
};
