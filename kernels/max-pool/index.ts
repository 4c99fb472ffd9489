import type { Tensor } from "../tensor.ts";

/**
 * Sliding maximum along each row of [r, m], stride 1, the window centred and cut at the ends: a strong token lifts its neighbours.
 *
 * @param size odd; 1 changes nothing
 * @throws KvError `invalid_option` for another size, `wrong_shape`
 */
export type MaxPool = (scores: Tensor, size: number) => Promise<Tensor>;
