import { attentionRows } from "../attention-rows.ts";
import { attentionShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { WindowAttention } from "./index.ts";

export const windowAttention: WindowAttention<Tensor> = async (queries, keys, visibility) => {
  const shape = attentionShape("windowAttention", queries, keys);
  const { heads, queries: w, length } = shape;
  const earlier = length - w;
  const mass = new Float32Array(heads * earlier);
  for (const { head, attention } of attentionRows(shape, queries, keys, visibility)) {
    for (let j = 0; j < earlier; j++) {
      mass[head * earlier + j] = (mass[head * earlier + j] ?? 0) + (attention[j] ?? 0);
    }
  }
  return tensor(mass, heads, earlier);
};
