import { entriesShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { KeySimilarity } from "./index.ts";

export const keySimilarity: KeySimilarity<Tensor> = async (keys) => {
  const [kvHeads, length, size] = entriesShape("keySimilarity", keys);
  const cosines = new Float32Array(kvHeads * length);
  for (let head = 0; head < kvHeads; head++) {
    const units = Array.from({ length }, (_, j) => {
      const from = (head * length + j) * size;
      return unit(Float64Array.from(keys.data.subarray(from, from + size)));
    });
    const mean = new Float64Array(size).map((_, c) => units.reduce((sum, key) => sum + (key[c] ?? 0), 0) / length);
    const direction = unit(mean);
    units.forEach((key, j) => {
      cosines[head * length + j] = key.reduce((sum, x, c) => sum + x * (direction[c] ?? 0), 0);
    });
  }
  return tensor(cosines, kvHeads, length);
};

/** At length 1; what has none stays as it is. */
function unit(vector: Float64Array): Float64Array {
  const norm = Math.hypot(...vector);
  return norm > 0 ? vector.map((x) => x / norm) : vector;
}
