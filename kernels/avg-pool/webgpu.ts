import type { GpuArrays } from "../gpu/arrays.ts";
import { MEAN, overWindows } from "../gpu/stretches.ts";
import { checkPoolSize, matrixShape } from "../shapes.ts";
import type { AvgPool } from "./index.ts";

export const avgPool =
  (arrays: GpuArrays): AvgPool =>
  async (scores, size) => {
    checkPoolSize("avgPool", size);
    matrixShape("avgPool", scores);
    return overWindows(arrays, scores, size, MEAN);
  };
