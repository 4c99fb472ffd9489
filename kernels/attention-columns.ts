/** Attention reduced over queries, for the reference kernels: one row at a time, in double precision. */
import { attentionRow } from "./attention-row.ts";
import { attentionShape } from "./shapes.ts";
import { type Tensor, tensor, type Visibility } from "./tensor.ts";

/**
 * [H, s, d], [KH, n, d] -> [H, n]
 *
 * @param add takes one query's attention to one key, and how many keys it sees, into what the key has so far (0 at first)
 */
export function attentionColumns(
  kernel: string,
  queries: Tensor,
  keys: Tensor,
  visibility: Visibility,
  add: (before: number, attention: number, seen: number) => number,
): Tensor {
  const { heads, group, queries: s, length, size } = attentionShape(kernel, queries, keys);
  const columns = new Float32Array(heads * length);
  for (let h = 0; h < heads; h++) {
    const kvHead = Math.floor(h / group);
    const headKeys = keys.data.subarray(kvHead * length * size, (kvHead + 1) * length * size);
    const total = new Float64Array(length);
    for (let i = 0; i < s; i++) {
      const position = length - s + i;
      const query = queries.data.subarray((h * s + i) * size, (h * s + i + 1) * size);
      const seen = Math.min(position + 1, visibility.slidingWindow ?? Number.POSITIVE_INFINITY);
      for (const [j, attention] of attentionRow(query, headKeys, position, visibility).entries())
        total[j] = add(total[j] ?? 0, attention, seen);
    }
    columns.set(total, h * length);
  }
  return tensor(columns, heads, length);
}
