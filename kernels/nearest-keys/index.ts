import type { Kernel, Stored, Tensor } from "../tensor.ts";

export interface Nearest {
  /** For each of a head's n keys, the place in the head's list of the row most like it; of equals, the first: [KH, n]. */
  readonly places: Int32Array;
  /** The cosine of the two, 0 where either has no length: [KH, n]. */
  readonly cosines: Tensor;
}

/**
 * Which of some keys each key is most like: keys [KH, n, d] and for each KV head a list of rows in [0, n), none of them empty.
 *
 * @throws KvError `wrong_shape`
 */
export type NearestKeys<A extends Stored = Stored> = Kernel<[keys: A, rows: readonly Int32Array[]], Nearest>;
