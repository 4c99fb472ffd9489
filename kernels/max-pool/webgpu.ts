import type { GpuArrays } from "../gpu/arrays.ts";
import { HIGHEST, overWindows } from "../gpu/stretches.ts";
import { checkPoolSize, matrixShape } from "../shapes.ts";
import type { MaxPool } from "./index.ts";

export const maxPool =
  (arrays: GpuArrays): MaxPool =>
  async (scores, size) => {
    checkPoolSize("maxPool", size);
    matrixShape("maxPool", scores);
    return overWindows(arrays, scores, size, HIGHEST);
  };
