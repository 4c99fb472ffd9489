import { groupSize, matrixShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { GroupMax } from "./index.ts";

export const groupMax: GroupMax = async (scores, kvHeads) => {
  const [heads, columns] = matrixShape("groupMax", scores);
  const group = groupSize("groupMax", heads, kvHeads);
  const maxima = new Float32Array(kvHeads * columns).fill(Number.NEGATIVE_INFINITY);
  for (let h = 0; h < heads; h++) {
    const k = Math.floor(h / group);
    for (let j = 0; j < columns; j++) {
      maxima[k * columns + j] = Math.max(maxima[k * columns + j] ?? 0, scores.data[h * columns + j] ?? 0);
    }
  }
  return tensor(maxima, kvHeads, columns);
};
