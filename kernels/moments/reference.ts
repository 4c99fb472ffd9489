import { entriesShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { Moments } from "./index.ts";

export const moments: Moments = async (vectors) => {
  const [count, rows, size] = entriesShape("moments", vectors);
  const [sums, products] = [new Float64Array(rows * size), new Float64Array(rows * size * size)];
  for (let s = 0; s < count; s++)
    for (let r = 0; r < rows; r++) {
      const own = vectors.data.subarray((s * rows + r) * size, (s * rows + r + 1) * size);
      for (const [a, left] of own.entries()) {
        sums[r * size + a] = (sums[r * size + a] ?? 0) + left;
        for (const [b, right] of own.entries()) {
          const at = (r * size + a) * size + b;
          products[at] = (products[at] ?? 0) + left * right;
        }
      }
    }
  return {
    sums: tensor(Float32Array.from(sums), rows, size),
    products: tensor(Float32Array.from(products), rows, size, size),
  };
};
