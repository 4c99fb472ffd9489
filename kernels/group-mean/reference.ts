import { groupSize, matrixShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { GroupMean } from "./index.ts";

export const groupMean: GroupMean = async (scores, kvHeads) => {
  const [heads, columns] = matrixShape("groupMean", scores);
  const group = groupSize("groupMean", heads, kvHeads);
  const means = new Float32Array(kvHeads * columns);
  for (let k = 0; k < kvHeads; k++) {
    for (let j = 0; j < columns; j++) {
      let total = 0;
      for (let g = 0; g < group; g++) total += scores.data[(k * group + g) * columns + j] ?? 0;
      means[k * columns + j] = total / group;
    }
  }
  return tensor(means, kvHeads, columns);
};
