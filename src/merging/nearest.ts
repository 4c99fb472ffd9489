/** Pairs each evicted entry with the kept one whose key is most like its own. */
import { evictedRows, type MergeView, type Pairs } from "./merge.ts";

/** Nearness is the cosine of the two keys, after RoPE. Heads that keep nothing have no pairs. */
export async function nearestKept({ kept, length, keys, kernels }: MergeView): Promise<readonly Pairs[]> {
  // A head without any compares with its first key, so that the kernel runs once for all heads.
  const { places, cosines } = await kernels.nearestKeys(
    keys,
    kept.map((rows) => (rows.length === 0 ? Int32Array.of(0) : rows)),
  );
  return kept.map((own, head) => {
    const rows = own.length === 0 ? [] : evictedRows(own, length);
    return {
      rows,
      places: rows.map((row) => places[head * length + row] ?? 0),
      nearness: rows.map((row) => cosines.data[head * length + row] ?? 0),
    };
  });
}
