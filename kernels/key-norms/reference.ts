import { entriesShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { KeyNorms } from "./index.ts";

export const keyNorms: KeyNorms<Tensor> = async (keys) => {
  const [kvHeads, length, size] = entriesShape("keyNorms", keys);
  const norms = new Float32Array(kvHeads * length);
  for (let j = 0; j < kvHeads * length; j++) {
    let total = 0;
    for (let c = 0; c < size; c++) total += (keys.data[j * size + c] ?? 0) ** 2;
    norms[j] = Math.sqrt(total);
  }
  return tensor(norms, kvHeads, length);
};
