import { type Tensor, tensor } from "../tensor.ts";
import type { Gather } from "./index.ts";
import { gatherShape } from "./shape.ts";

export const gather: Gather<Tensor> = async (entries, rows) => {
  const { length, size, total } = gatherShape(entries, rows);
  const picked = new Float32Array(total * size);
  let at = 0;
  rows.forEach((list, h) => {
    for (const r of list) {
      const start = (h * length + r) * size;
      picked.set(entries.data.subarray(start, start + size), at);
      at += size;
    }
  });
  return tensor(picked, total, size);
};
