/** Attention reduced over queries, for the reference kernels: one row at a time, in double precision. */
import { attentionRows } from "./attention-rows.ts";
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
  const shape = attentionShape(kernel, queries, keys);
  const { heads, length } = shape;
  const columns = new Float64Array(heads * length);
  for (const { head, position, attention } of attentionRows(shape, queries, keys, visibility)) {
    const seen = Math.min(position + 1, visibility.slidingWindow ?? Number.POSITIVE_INFINITY);
    for (const [j, mass] of attention.entries()) {
      columns[head * length + j] = add(columns[head * length + j] ?? 0, mass, seen);
    }
  }
  return tensor(Float32Array.from(columns), heads, length);
}
