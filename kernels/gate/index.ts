import type { GpuTensor } from "../gpu/arrays.ts";

/** up = activation(gate) * up, number by number, in place. GELU is that by tanh. */
export type Gate = (gate: GpuTensor, up: GpuTensor) => void;
