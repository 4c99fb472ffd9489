import { attentionRow } from "../attention-row.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { FlashAttention } from "./index.ts";

/** [S, H * d] */
export function flashAttention({ queries, keys, values, length, slidingWindow }: FlashAttention): Tensor {
  const [heads = 0, count = 0, size = 0] = queries.dims;
  const [kvHeads = 1, capacity = 0] = keys.dims;
  const out = new Float32Array(count * heads * size);
  for (let h = 0; h < heads; h++) {
    const first = Math.floor((h * kvHeads) / heads) * capacity;
    const own = keys.data.subarray(first * size, (first + length) * size);
    for (let i = 0; i < count; i++) {
      const query = queries.data.subarray((h * count + i) * size, (h * count + i + 1) * size);
      for (const [j, attention] of attentionRow(query, own, length - count + i, { slidingWindow }).entries())
        for (let c = 0; c < size; c++) {
          const at = (i * heads + h) * size + c;
          out[at] = (out[at] ?? 0) + attention * (values.data[(first + j) * size + c] ?? 0);
        }
    }
  }
  return tensor(out, count, heads * size);
}
