import type { Visibility } from "./tensor.ts";

/**
 * What one query attends to, for the reference kernels and for measures on few queries: softmax over the keys it sees of q . k_j / sqrt(d), 0 for the others.
 *
 * query [d] stands at `position`, keys [n, d] at 0 .. n - 1. Returns [n], in double precision.
 */
export function attentionRow(
  query: Float32Array,
  keys: Float32Array,
  position: number,
  { slidingWindow }: Visibility,
): Float64Array {
  const size = query.length;
  const first = slidingWindow === null ? 0 : Math.max(0, position - slidingWindow + 1);
  const row = new Float64Array(keys.length / size);
  let highest = Number.NEGATIVE_INFINITY;
  for (let j = first; j <= position; j++) {
    let product = 0;
    for (let c = 0; c < size; c++) product += (query[c] ?? 0) * (keys[j * size + c] ?? 0);
    row[j] = product / Math.sqrt(size);
    highest = Math.max(highest, row[j] ?? 0);
  }
  let total = 0;
  for (let j = first; j <= position; j++) {
    row[j] = Math.exp((row[j] ?? 0) - highest);
    total += row[j] ?? 0;
  }
  for (let j = first; j <= position; j++) row[j] = (row[j] ?? 0) / total;
  return row;
}
