import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * How like the others each key is: keys [KH, n, d] -> [KH, n], the cosine of each key and the mean of its head's keys at length 1. In
 * [-1, 1]; 0 where either has no length. @throws KvError `wrong_shape`
 */
export type KeySimilarity<A extends Stored = Stored> = Kernel<[keys: A], Tensor>;
