import type { GpuTensor } from "../gpu/arrays.ts";

/**
 * Adds x [S, D] to the residual stream [S, D] in place, if there is an x, and normalises each row of the sum:
 * out = residual / sqrt(mean of residual^2 + epsilon) * scale, with scale [D]. RMSNorm, in fp32.
 *
 * @see https://arxiv.org/abs/1910.07467
 */
export type AddNorm = (
  residual: GpuTensor,
  x: GpuTensor | null,
  scale: GpuTensor,
  epsilon: number,
  out: GpuTensor,
) => void;
