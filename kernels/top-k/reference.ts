import { checkCounts, matrixShape } from "../shapes.ts";
import { row } from "../tensor.ts";
import type { TopK } from "./index.ts";

export const topK: TopK = async (scores, counts) => {
  const [rows, columns] = matrixShape("topK", scores);
  checkCounts(rows, columns, counts);
  return counts.map((count, r) => {
    const values = row(scores, r);
    const ranked = [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
    return Int32Array.from(ranked.slice(0, count)).sort();
  });
};
