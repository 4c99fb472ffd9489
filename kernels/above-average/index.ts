import type { Kernel, Stored, Tensor, Visibility } from "../tensor.ts";

/**
 * How many of s consecutive queries look at each key more than at the average one: Scissorhands' pivotal tokens.
 *
 * queries [H, s, d] stand at positions n - s .. n - 1, keys [KH, n, d] at 0 .. n - 1, both after RoPE.
 * Returns [H, n]: the number of queries that see the key and give it at least 1 / (keys that they see).
 *
 * @throws KvError `window_too_long` when s > n, `wrong_shape`
 * @see https://arxiv.org/abs/2305.17118
 */
export type AboveAverage<A extends Stored = Stored> = Kernel<
  [queries: Tensor, keys: A, visibility: Visibility],
  Tensor
>;
