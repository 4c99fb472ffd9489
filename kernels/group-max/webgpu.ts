import type { GpuArrays } from "../gpu/arrays.ts";
import { HIGHEST, overGroups } from "../gpu/stretches.ts";
import { groupSize, matrixShape } from "../shapes.ts";
import type { GroupMax } from "./index.ts";

export const groupMax =
  (arrays: GpuArrays): GroupMax =>
  async (scores, kvHeads) => {
    const [heads] = matrixShape("groupMax", scores);
    return overGroups(arrays, scores, kvHeads, groupSize("groupMax", heads, kvHeads), HIGHEST);
  };
