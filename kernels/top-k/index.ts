import type { Tensor } from "../tensor.ts";

/**
 * The columns of the highest scores: for row r of [rows, m], counts[r] of them, ascending. Of equal scores the lower column wins.
 *
 * Scores are numbers, not NaN: the caller checks.
 *
 * @throws KvError `wrong_shape` when counts do not fit the rows
 */
export type TopK = (scores: Tensor, counts: readonly number[]) => Promise<readonly Int32Array[]>;
