import type { Tensor } from "../tensor.ts";

/**
 * Sliding mean along each row of [r, m], stride 1, zeros beyond the ends, always divided by the full size (as PyTorch does).
 *
 * @param size odd; 1 changes nothing
 * @throws KvError `invalid_option` for another size, `wrong_shape`
 */
export type AvgPool = (scores: Tensor, size: number) => Promise<Tensor>;
