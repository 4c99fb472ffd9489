import type { Kernel, Stored, Tensor, Visibility } from "../tensor.ts";

/**
 * Attention relative to what is even, summed over s consecutive queries: FINCH's scores.
 *
 * queries [H, s, d] stand at positions n - s .. n - 1, keys [KH, n, d] at 0 .. n - 1, both after RoPE.
 * Returns [H, n]: the sum over the s queries of softmax(q . k / sqrt(d)), times the number of keys that the query sees: 1 for each
 * query that looks at the key neither more nor less than at others. Later queries, whose attention is spread over more keys, so
 * count as much as earlier ones.
 *
 * @throws KvError `window_too_long` when s > n, `wrong_shape`
 * @see https://arxiv.org/abs/2408.00167
 */
export type RelativeSums<A extends Stored = Stored> = Kernel<
  [queries: Tensor, keys: A, visibility: Visibility],
  Tensor
>;
