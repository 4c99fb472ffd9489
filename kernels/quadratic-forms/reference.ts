import { checkDims, entriesShape, groupSize } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { QuadraticForms } from "./index.ts";

export const quadraticForms: QuadraticForms<Tensor> = async (keys, matrices) => {
  const [kvHeads, length, size] = entriesShape("quadraticForms", keys);
  const [rows = 0] = matrices.dims;
  checkDims("quadraticForms", "matrices", matrices, [rows, size, size]);
  const group = groupSize("quadraticForms", rows, kvHeads);
  const forms = new Float32Array(rows * length);
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < length; j++) {
      const head = Math.floor(r / group);
      const key = keys.data.subarray((head * length + j) * size, (head * length + j + 1) * size);
      let form = 0;
      for (const [a, left] of key.entries())
        for (const [b, right] of key.entries()) form += left * (matrices.data[(r * size + a) * size + b] ?? 0) * right;
      forms[r * length + j] = form;
    }
  return tensor(forms, rows, length);
};
