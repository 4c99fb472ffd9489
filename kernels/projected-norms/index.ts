import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * How much each value adds to a layer's output where a query head attends to it alone: the sum of absolute values of W_h v_j, where
 * W_h are the head's columns of the output projection.
 *
 * values [KH, n, d], projection [hidden, H * d], H = KH * G. Returns [H, n].
 *
 * @throws KvError `wrong_shape`
 * @see https://arxiv.org/abs/2502.03805
 */
export type ProjectedNorms<A extends Stored = Stored> = Kernel<[values: A, projection: Tensor], Tensor>;
