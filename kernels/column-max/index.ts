import type { Kernel, Stored, Tensor, Visibility } from "../tensor.ts";

/**
 * The most that any of s consecutive queries gives to each key: KVzip's importance of what is looked up at least once.
 *
 * queries [H, s, d] stand at positions n - s .. n - 1, keys [KH, n, d] at 0 .. n - 1, both after RoPE.
 * Returns [H, n]: the maximum over the s queries of softmax(q . k / sqrt(d)) over the keys each sees; 0 where none sees it.
 *
 * @throws KvError `window_too_long` when s > n, `wrong_shape`
 * @see https://arxiv.org/abs/2505.23416
 */
export type ColumnMax<A extends Stored = Stored> = Kernel<[queries: Tensor, keys: A, visibility: Visibility], Tensor>;
