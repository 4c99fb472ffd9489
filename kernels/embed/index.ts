import type { GpuTensor } from "../gpu/arrays.ts";
import type { GpuMatrix } from "../gpu/matrix/matrix.ts";

/** Rows of an embedding table by token: out [S, D] = table[tokens[s]] * scale, for whole numbers tokens [S], all of the table's [V, D]. */
export type Embed = (tokens: GpuTensor, table: GpuMatrix, scale: number, out: GpuTensor) => void;
