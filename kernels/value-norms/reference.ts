import { entriesShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ValueNorms } from "./index.ts";

export const valueNorms: ValueNorms<Tensor> = async (values) => {
  const [kvHeads, length, size] = entriesShape("valueNorms", values);
  const norms = new Float32Array(kvHeads * length);
  for (let j = 0; j < kvHeads * length; j++) {
    let total = 0;
    for (let c = 0; c < size; c++) total += Math.abs(values.data[j * size + c] ?? 0);
    norms[j] = total;
  }
  return tensor(norms, kvHeads, length);
};
