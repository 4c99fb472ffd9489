import type { Tensor } from "../src/tensor.ts";

export type { Tensor };

/** Limits what a query sees: key j is seen by query i when i - slidingWindow < j <= i. */
export interface Visibility {
  /** null: every earlier key. */
  readonly slidingWindow: number | null;
}

/** Names a flat array's dimensions. */
export const tensor = (data: Float32Array, ...dims: readonly number[]): Tensor => ({ data, dims });

/** Row r of a matrix [rows, m], as a view. */
export function row(matrix: Tensor, r: number): Float32Array {
  const columns = matrix.dims[1] ?? 0;
  return matrix.data.subarray(r * columns, (r + 1) * columns);
}
