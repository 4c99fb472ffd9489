import { row, tensor } from "../../kernels/tensor.ts";
import { step } from "./score.ts";

/**
 * Each score's rank within its row, scaled to 0 .. 1, the highest 1: so that scores of different kinds can be added. Equal scores have
 * the mean of their ranks. [r, m] -> [r, m]
 */
export const rank = step("rank", async (scores) => {
  const [rows = 0, columns = 0] = scores.dims;
  const ranks = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const values = row(scores, r);
    const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
    for (let first = 0; first < columns; ) {
      const value = values[order[first] ?? 0];
      let end = first + 1;
      while (end < columns && values[order[end] ?? 0] === value) end++;
      const mean = columns > 1 ? (first + end - 1) / 2 / (columns - 1) : 1;
      for (let i = first; i < end; i++) ranks[r * columns + (order[i] ?? 0)] = mean;
      first = end;
    }
  }
  return tensor(ranks, rows, columns);
});
