/** Reads the sizes that kernels share off their arguments, or says which argument does not fit. */
import { KvError } from "../src/error.ts";
import { isTensor, type Stored } from "./tensor.ts";

/** H query heads, KH KV heads of G query heads each, s queries at the last of n positions, head dimension d. */
export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly group: number;
  readonly queries: number;
  readonly length: number;
  readonly size: number;
}

/**
 * Sizes of queries [H, s, d] against keys [KH, n, d].
 *
 * @throws KvError `window_too_long` when there are more queries than keys, `wrong_shape` when the arrays do not fit together
 */
export function attentionShape(kernel: string, queries: Stored, keys: Stored): AttentionShape {
  const [heads = 0, window = 0, size = 0] = queries.dims;
  const [kvHeads = 0, length = 0] = keys.dims;
  checkDims(kernel, "queries", queries, [heads, window, size]);
  checkDims(kernel, "keys", keys, [kvHeads, length, size]);
  groupSize(kernel, heads, kvHeads);
  if (window > length) {
    const allowed = `at most ${length}, the number of keys`;
    throw new KvError({ code: "window_too_long", path: [kernel, "queries"], found: window, allowed });
  }
  return { heads, kvHeads, group: heads / kvHeads, queries: window, length, size };
}

/** Sizes of queries [H, n, d] and keys [KH, n, d] at the same positions. @throws KvError `wrong_shape`, `invalid_option` for the chunk */
export function chunkShape(kernel: string, queries: Stored, keys: Stored, chunk: number): AttentionShape {
  if (!Number.isSafeInteger(chunk) || chunk < 1)
    throw new KvError({ code: "invalid_option", path: [kernel, "chunk"], found: chunk, allowed: "a positive integer" });
  const [kvHeads, length, size] = entriesShape(kernel, keys);
  const [heads = 0] = queries.dims;
  checkDims(kernel, "queries", queries, [heads, length, size]);
  return { heads, kvHeads, group: groupSize(kernel, heads, kvHeads), queries: length, length, size };
}

/** Query heads per KV head. @throws KvError `wrong_shape` unless H is a multiple of KH */
export function groupSize(kernel: string, heads: number, kvHeads: number): number {
  if (kvHeads < 1 || heads % kvHeads !== 0) {
    fail([kernel, "heads"], heads, `a multiple of the ${kvHeads} KV heads`);
  }
  return heads / kvHeads;
}

/** Sizes of a matrix [rows, columns]. */
export function matrixShape(kernel: string, matrix: Stored): readonly [rows: number, columns: number] {
  const [rows = 0, columns = 0] = matrix.dims;
  checkDims(kernel, "scores", matrix, [rows, columns]);
  return [rows, columns];
}

/** Sizes of entries [KH, n, d]. */
export function entriesShape(
  kernel: string,
  entries: Stored,
): readonly [kvHeads: number, length: number, size: number] {
  const [kvHeads = 0, length = 0, size = 0] = entries.dims;
  checkDims(kernel, "keys", entries, [kvHeads, length, size]);
  return [kvHeads, length, size];
}

/** Values of KH heads, and an output projection of H query heads. */
export interface ProjectionShape {
  readonly heads: number;
  readonly group: number;
  readonly length: number;
  readonly size: number;
  readonly hidden: number;
}

/** Sizes of values [KH, n, d] and a projection [hidden, H * d]. @throws KvError `wrong_shape` */
export function projectionShape(kernel: string, values: Stored, projection: Stored): ProjectionShape {
  const [kvHeads = 0, length = 0, size = 0] = values.dims;
  const [hidden = 0, width = 0] = projection.dims;
  checkDims(kernel, "values", values, [kvHeads, length, size]);
  checkDims(kernel, "projection", projection, [hidden, width]);
  if (size < 1 || width % size !== 0) fail([kernel, "projection"], width, `a multiple of the head dimension ${size}`);
  const heads = width / size;
  return { heads, group: groupSize(kernel, heads, kvHeads), length, size, hidden };
}

/** A pool's size is odd, so that it has a middle. */
export function checkPoolSize(kernel: string, size: number): void {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0) {
    throw new KvError({
      code: "invalid_option",
      path: [kernel, "size"],
      found: size,
      allowed: "a positive odd integer",
    });
  }
}

/** One count per row, none larger than a row. */
export function checkCounts(rows: number, columns: number, counts: readonly number[]): void {
  if (counts.length !== rows) fail(["topK", "counts", "length"], counts.length, `${rows}, one count per row`);
  counts.forEach((count, r) => {
    const valid = Number.isInteger(count) && count >= 0 && count <= columns;
    if (!valid) fail(["topK", "counts", r], count, `an integer from 0 to ${columns}`);
  });
}

export function checkDims(kernel: string, name: string, array: Stored, expected: readonly number[]): void {
  const { dims } = array;
  const fits = dims.length === expected.length && dims.every((dim, i) => dim === expected[i]);
  if (!fits) fail([kernel, name], dims, JSON.stringify(expected));
  if (!isTensor(array)) return;
  const count = expected.reduce((product, dim) => product * dim, 1);
  const { length } = array.data;
  if (length !== count) fail([kernel, name, "data", "length"], length, `${count}, as its dims say`);
}

function fail(path: readonly (string | number)[], found: unknown, allowed: string): never {
  throw new KvError({ code: "wrong_shape", path, found, allowed });
}
