import { type Tensor, tensor } from "../tensor.ts";
import { PAGE, type PagedAttention } from "./index.ts";

/** [R, H * d]. Whole numbers come as floats that hold them. */
export function pagedAttention(x: PagedAttention<Tensor>): Tensor {
  const [heads = 0, rows = 0, size = 0] = x.queries.dims;
  const [, kvHeads = 1] = x.lists.dims;
  const out = new Float32Array(rows * heads * size);
  for (let r = 0; r < rows; r++)
    for (let h = 0; h < heads; h++) {
      const list = x.firstList + r * kvHeads + Math.floor((h * kvHeads) / heads);
      const [kept = 0, keptCount = 0, added = 0, addedCount = 0] = x.lists.data.subarray(4 * list);
      const query = x.queries.data.subarray((h * rows + r) * size, (h * rows + r + 1) * size);
      const slotsOf = (first: number, count: number) =>
        Array.from({ length: count }, (_, i) => (x.table.data[first + Math.floor(i / PAGE)] ?? 0) * PAGE + (i % PAGE));
      const slots = [...slotsOf(kept, keptCount), ...slotsOf(added, addedCount)].filter((slot) => isSeen(x, slot, r));
      const scores = slots.map((slot) => {
        const key = x.keys.data.subarray(slot * size, (slot + 1) * size);
        return query.reduce((sum, q, c) => sum + q * (key[c] ?? 0), 0) / Math.sqrt(size);
      });
      const highest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - highest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [i, slot] of slots.entries())
        for (let c = 0; c < size; c++) {
          const at = (r * heads + h) * size + c;
          out[at] = (out[at] ?? 0) + ((weights[i] ?? 0) / total) * (x.values.data[slot * size + c] ?? 0);
        }
    }
  return tensor(out, rows, heads * size);
}

const isSeen = ({ positions, rowPositions, slidingWindow }: PagedAttention<Tensor>, slot: number, row: number) =>
  slidingWindow === null || (positions.data[slot] ?? 0) + slidingWindow > (rowPositions.data[row] ?? 0);
