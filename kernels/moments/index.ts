import type { Tensor } from "../tensor.ts";

/**
 * First and second moments of vectors, by row: vectors [s, r, d] -> sums over s [r, d], and sums of each vector's product with itself
 * [r, d, d]. @throws KvError `wrong_shape`
 */
export type Moments = (vectors: Tensor) => Promise<{ readonly sums: Tensor; readonly products: Tensor }>;
