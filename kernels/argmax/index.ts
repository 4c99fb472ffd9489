import type { GpuTensor } from "../gpu/arrays.ts";

/**
 * The most likely token of each row of logits [S, V]: whole numbers, [S]. Of equal logits the first; NaN is never the largest, and a row of
 * nothing above minus infinity gives 0.
 */
export type Argmax = (logits: GpuTensor, out: GpuTensor) => void;
