import type { Kernel, Stored, Tensor } from "../tensor.ts";

/** Sum of absolute values of each value vector: values [KH, n, d] -> [KH, n]. @throws KvError `wrong_shape` */
export type ValueNorms<A extends Stored = Stored> = Kernel<[values: A], Tensor>;
