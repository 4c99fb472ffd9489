import type { Tensor } from "../tensor.ts";

/** Sum of absolute values of each value vector: values [KH, n, d] -> [KH, n]. @throws KvError `wrong_shape` */
export type ValueNorms = (values: Tensor) => Promise<Tensor>;
