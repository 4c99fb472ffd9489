import type { GpuTensor } from "../gpu/arrays.ts";

/**
 * Adds x to a residual [S, hidden], in place, and normalises it: out = residual / rms(residual) * scale.
 *
 * @param x [S, hidden]; null adds nothing
 */
export type AddNorm = (x: GpuTensor | null, residual: GpuTensor, scale: GpuTensor, out: GpuTensor) => void;
