/** Attention of a prompt's last queries on some of its entries, in double precision. */
import type { HeadEntries } from "../cache/read.ts";

/** Some of a layer's entries for one KV head, and where they stand. */
export interface Entries extends HeadEntries {
  /** Their places in the prompt. */
  readonly origins: Int32Array;
}

/** One head's last queries, [w, d], the last of which stands at position `end - 1`. */
export interface Asked {
  readonly queries: Float32Array;
  readonly end: number;
}

/** Attention of one head's queries: their weights [w, entries] and outputs [w, d]. */
export interface Attended {
  readonly weights: Float64Array;
  readonly outputs: Float64Array;
}

/** What the last w queries of a prompt see of some entries: no later tokens, and within a sliding window, as distances are there. */
export function attend(
  { queries, end }: Asked,
  { keys, values, positions, origins }: Entries,
  w: number,
  { length, slidingWindow }: { readonly length: number; readonly slidingWindow: number | null },
): Attended {
  const [d, n] = [queries.length / w, positions.length];
  const weights = new Float64Array(w * n);
  const outputs = new Float64Array(w * d);
  for (let i = 0; i < w; i++) {
    const first = slidingWindow === null ? Number.NEGATIVE_INFINITY : end - w + i - slidingWindow + 1;
    const sees = (j: number) => (origins[j] ?? 0) <= length - w + i && (positions[j] ?? 0) >= first;
    const row = weights.subarray(i * n, (i + 1) * n);
    softmax(row, sees, (j) => product(queries, i, keys, j, d) / Math.sqrt(d));
    for (let j = 0; j < n; j++) {
      const weight = row[j] ?? 0;
      if (weight === 0) continue;
      for (let c = i * d; c < (i + 1) * d; c++)
        outputs[c] = (outputs[c] ?? 0) + weight * (values[(j - i) * d + c] ?? 0);
    }
  }
  return { weights, outputs };
}

/** Of the entries that are seen; 0 for the others, and for all where none is. */
function softmax(row: Float64Array, sees: (j: number) => boolean, score: (j: number) => number): void {
  for (let j = 0; j < row.length; j++) row[j] = sees(j) ? score(j) : Number.NEGATIVE_INFINITY;
  const highest = row.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  if (highest === Number.NEGATIVE_INFINITY) {
    row.fill(0);
    return;
  }
  let total = 0;
  for (let j = 0; j < row.length; j++) {
    row[j] = Math.exp((row[j] ?? 0) - highest);
    total += row[j] ?? 0;
  }
  for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) / total;
}

function product(a: Float32Array, i: number, b: Float32Array, j: number, d: number): number {
  let sum = 0;
  for (let c = 0; c < d; c++) sum += (a[i * d + c] ?? 0) * (b[j * d + c] ?? 0);
  return sum;
}
