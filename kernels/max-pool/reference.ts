import { checkPoolSize, matrixShape } from "../shapes.ts";
import { row, tensor } from "../tensor.ts";
import type { MaxPool } from "./index.ts";

export const maxPool: MaxPool = async (scores, size) => {
  checkPoolSize("maxPool", size);
  const [rows, columns] = matrixShape("maxPool", scores);
  const half = (size - 1) / 2;
  const pooled = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const around = row(scores, r).subarray(Math.max(0, j - half), j + half + 1);
      pooled[r * columns + j] = Math.max(...around);
    }
  }
  return tensor(pooled, rows, columns);
};
