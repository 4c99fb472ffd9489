import type { GpuTensor } from "../gpu/arrays.ts";
import type { GpuMatrix } from "../gpu/matrix/matrix.ts";

/**
 * Product with a matrix of the network: out [S, N] = x [S, K] W^T for W [N, K], plus `bias` [N] in every row, plus what was in out if `add`
 * says so (a residual).
 *
 * Sums are fp32. W counts as what its stored numbers stand for exactly; nothing of x is rounded.
 */
export type Matmul = (x: GpuTensor, weights: GpuMatrix, out: GpuTensor, options?: MatmulOptions) => void;

export interface MatmulOptions {
  /** [N]; default: none. */
  readonly bias?: GpuTensor | null;
  /** Default: false. */
  readonly add?: boolean;
}
