import { attentionRow } from "../attention-row.ts";
import { attentionShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { ColumnSums } from "./index.ts";

export const columnSums: ColumnSums = async (queries, keys, visibility) => {
  const { heads, group, queries: s, length, size } = attentionShape("columnSums", queries, keys);
  const sums = new Float32Array(heads * length);
  for (let h = 0; h < heads; h++) {
    const kvHead = Math.floor(h / group);
    const headKeys = keys.data.subarray(kvHead * length * size, (kvHead + 1) * length * size);
    const total = new Float64Array(length);
    for (let i = 0; i < s; i++) {
      const query = queries.data.subarray((h * s + i) * size, (h * s + i + 1) * size);
      attentionRow(query, headKeys, length - s + i, visibility).forEach((mass, j) => {
        total[j] = (total[j] ?? 0) + mass;
      });
    }
    sums.set(total, h * length);
  }
  return tensor(sums, heads, length);
};
