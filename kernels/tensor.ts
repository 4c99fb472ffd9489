import type { Tensor } from "../src/tensor.ts";

export type { Tensor };

/** A dense row-major fp32 array wherever an engine holds it: a `Tensor` in memory, or one on a device. */
export interface Stored {
  readonly dims: readonly number[];
}

/**
 * A kernel over arrays of one place. Its type is a method's, so that kernels of one place stand for kernels of any: an engine's arrays only
 * meet its own kernels.
 */
export type Kernel<Arguments extends readonly unknown[], Result> = {
  run(...given: Arguments): Promise<Result>;
}["run"];

/** Limits what a query sees: key j is seen by query i when i - slidingWindow < j <= i. */
export interface Visibility {
  /** null: every earlier key. */
  readonly slidingWindow: number | null;
}

/** Whether an array is in memory. */
export const isTensor = (array: Stored): array is Tensor => "data" in array;

/** Names a flat array's dimensions. */
export const tensor = (data: Float32Array, ...dims: readonly number[]): Tensor => ({ data, dims });

/** Row r of a matrix [rows, m], as a view. */
export function row(matrix: Tensor, r: number): Float32Array {
  const columns = matrix.dims[1] ?? 0;
  return matrix.data.subarray(r * columns, (r + 1) * columns);
}
