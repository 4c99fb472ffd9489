import type { GpuArrays } from "../gpu/arrays.ts";
import { MEAN, overGroups } from "../gpu/stretches.ts";
import { groupSize, matrixShape } from "../shapes.ts";
import type { GroupMean } from "./index.ts";

export const groupMean =
  (arrays: GpuArrays): GroupMean =>
  async (scores, kvHeads) => {
    const [heads] = matrixShape("groupMean", scores);
    return overGroups(arrays, scores, kvHeads, groupSize("groupMean", heads, kvHeads), MEAN);
  };
