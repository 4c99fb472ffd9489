import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * RoPE undone: keys [KH, n, d] that stand at positions [KH, n] -> the same as they were before they were turned there, [KH, n, d].
 *
 * @param frequencies radians per position of each pair of channels (i, i + d / 2): [d / 2]
 * @throws KvError `wrong_shape`
 */
export type BeforeRope<A extends Stored = Stored> = Kernel<
  [keys: A, positions: Int32Array, frequencies: Float64Array],
  Tensor
>;
