import { checkPoolSize, matrixShape } from "../shapes.ts";
import { row, tensor } from "../tensor.ts";
import type { AvgPool } from "./index.ts";

export const avgPool: AvgPool = async (scores, size) => {
  checkPoolSize("avgPool", size);
  const [rows, columns] = matrixShape("avgPool", scores);
  const half = (size - 1) / 2;
  const pooled = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const around = row(scores, r).subarray(Math.max(0, j - half), j + half + 1);
      pooled[r * columns + j] = around.reduce((total, score) => total + score, 0) / size;
    }
  }
  return tensor(pooled, rows, columns);
};
