import type { Kernel, Stored, Tensor, Visibility } from "../tensor.ts";

export interface WindowStatisticsResult {
  /** sum over i of c_i A[i, j]: [H, n - w] */
  readonly sums: Tensor;
  /** sum over i of c_i A[i, j]^2: [H, n - w] */
  readonly squares: Tensor;
  /** minus the sum over i and j of c_i A[i, j] ln A[i, j], in nats; nothing where A is 0: [H] */
  readonly entropies: Tensor;
}

/**
 * How the attention of the last w queries to the keys before them is spread: over keys (entropy), and over queries (squares).
 *
 * queries [H, w, d] stand at positions n - w .. n - 1, keys [KH, n, d] at 0 .. n - 1, both after RoPE; A[i, j] is the softmax of
 * query i over all keys it sees, the window's own among them, of which only j < n - w count here. `weights` [w] has c_i, oldest query first.
 *
 * @throws KvError `window_too_long` when w > n, `wrong_shape`
 */
export type WindowStatistics<A extends Stored = Stored> = Kernel<
  [queries: Tensor, keys: A, weights: Float32Array, visibility: Visibility],
  WindowStatisticsResult
>;
