import type { Kernel, Stored, Tensor } from "../tensor.ts";

/** Euclidean length of each key: keys [KH, n, d] -> [KH, n]. RoPE does not change it. @throws KvError `wrong_shape` */
export type KeyNorms<A extends Stored = Stored> = Kernel<[keys: A], Tensor>;
