import type { Kernel, Stored, Tensor, Visibility } from "../tensor.ts";

/**
 * Attention mass that the last w queries give to each earlier key: SnapKV's observation window.
 *
 * queries [H, w, d] stand at positions n - w .. n - 1, keys [KH, n, d] at 0 .. n - 1, both after RoPE.
 * Returns [H, n - w]: for each key before the window, the sum over the w queries of softmax(q . k / sqrt(d)). The softmax runs
 * over all keys a query sees, the window's own among them, so a head sums to at most w.
 *
 * @throws KvError `window_too_long` when w > n, `wrong_shape`
 * @see https://arxiv.org/abs/2404.14469
 */
export type WindowAttention<A extends Stored = Stored> = Kernel<
  [queries: Tensor, keys: A, visibility: Visibility],
  Tensor
>;
