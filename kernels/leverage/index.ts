import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * Statistical leverage of each vector among those of its head: vectors [KH, n, d] and a matrix P [d, k] that shortens them -> [KH, n],
 * x_j (X' X + ridge)^-1 x_j' with rows x_j = (v_j - mean) P of X. In [0, 1); a head's sum to at most k, and to less than n.
 *
 * @param ridge added to squared lengths in every direction, > 0, so that vectors need not span them all
 * @throws KvError `wrong_shape`, `invalid_option` for another ridge
 */
export type Leverage<A extends Stored = Stored> = Kernel<[vectors: A, shortening: Tensor, ridge: number], Tensor>;
