import { attentionRow } from "../attention-row.ts";
import { attentionShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { WindowAttention } from "./index.ts";

export const windowAttention: WindowAttention = async (queries, keys, visibility) => {
  const { heads, group, queries: w, length, size } = attentionShape("windowAttention", queries, keys);
  const earlier = length - w;
  const mass = new Float32Array(heads * earlier);
  for (let h = 0; h < heads; h++) {
    const kvHead = Math.floor(h / group);
    const headKeys = keys.data.subarray(kvHead * length * size, (kvHead + 1) * length * size);
    for (let i = 0; i < w; i++) {
      const query = queries.data.subarray((h * w + i) * size, (h * w + i + 1) * size);
      const attention = attentionRow(query, headKeys, earlier + i, visibility);
      for (let j = 0; j < earlier; j++) {
        mass[h * earlier + j] = (mass[h * earlier + j] ?? 0) + (attention[j] ?? 0);
      }
    }
  }
  return tensor(mass, heads, earlier);
};
