import type { Tensor } from "../tensor.ts";

/**
 * Picks cache entries: entries [KH, n, d] and for each KV head a list of rows in [0, n) -> [sum of the lists' lengths, d], head
 * after head. The lists may differ in length: this is how a ragged cache is filled.
 *
 * @throws KvError `wrong_shape` when there is not one list per head
 */
export type Gather = (entries: Tensor, rows: readonly Int32Array[]) => Promise<Tensor>;
