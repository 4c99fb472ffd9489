import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * Each key's quadratic form under given matrices: keys [KH, n, d] and matrices [R, d, d], R = KH * G -> [R, n], k_j' M_r k_j for the
 * keys of KV head floor(r / G). @throws KvError `wrong_shape`
 */
export type QuadraticForms<A extends Stored = Stored> = Kernel<[keys: A, matrices: Tensor], Tensor>;
