import { projectionShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ProjectedNorms } from "./index.ts";

export const projectedNorms: ProjectedNorms<Tensor> = async (values, projection) => {
  const { heads, group, length, size, hidden } = projectionShape("projectedNorms", values, projection);
  const norms = new Float32Array(heads * length);
  for (let h = 0; h < heads; h++)
    for (let j = 0; j < length; j++) {
      const value = values.data.subarray((Math.floor(h / group) * length + j) * size).subarray(0, size);
      let total = 0;
      for (let out = 0; out < hidden; out++) {
        let projected = 0;
        for (const [c, x] of value.entries()) projected += x * (projection.data[(out * heads + h) * size + c] ?? 0);
        total += Math.abs(projected);
      }
      norms[h * length + j] = total;
    }
  return tensor(norms, heads, length);
};
