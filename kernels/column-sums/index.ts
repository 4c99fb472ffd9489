import type { Kernel, Stored, Tensor, Visibility } from "../tensor.ts";

/**
 * Attention mass that s consecutive queries give to every key: H2O's accumulated attention, one chunk of queries at a time.
 *
 * queries [H, s, d] stand at positions n - s .. n - 1, keys [KH, n, d] at 0 .. n - 1, both after RoPE.
 * Returns [H, n]: the sum over the s queries of softmax(q . k / sqrt(d)) over the keys each sees. A head sums to s. Adding the
 * results of all chunks of a prompt, each over the keys up to its end, gives the sums over the prompt.
 *
 * @throws KvError `window_too_long` when s > n, `wrong_shape`
 * @see https://arxiv.org/abs/2306.14048
 */
export type ColumnSums<A extends Stored = Stored> = Kernel<[queries: Tensor, keys: A, visibility: Visibility], Tensor>;
