import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * Picks cache entries: entries [KH, n, d] and for each KV head a list of rows in [0, n) -> [sum of the lists' lengths, d], head
 * after head. The lists may differ in length: this is how a ragged cache is filled.
 *
 * @throws KvError `wrong_shape` when there is not one list per head
 */
export type Gather<A extends Stored = Stored> = Kernel<[entries: A, rows: readonly Int32Array[]], Tensor>;
