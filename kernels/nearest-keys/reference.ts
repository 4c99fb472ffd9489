import { type Tensor, tensor } from "../tensor.ts";
import type { NearestKeys } from "./index.ts";
import { nearestShape } from "./shape.ts";

export const nearestKeys: NearestKeys<Tensor> = async (keys, rows) => {
  const { length, size } = nearestShape(keys, rows);
  const places = new Int32Array(rows.length * length);
  const cosines = new Float32Array(rows.length * length);
  for (const [head, list] of rows.entries()) {
    const key = (row: number) => {
      const from = (head * length + row) * size;
      return [...keys.data.subarray(from, from + size)];
    };
    for (let row = 0; row < length; row++) {
      const all = [...list].map((other) => cosine(key(row), key(other)));
      const best = all.indexOf(Math.max(...all));
      places[head * length + row] = best;
      cosines[head * length + row] = all[best] ?? 0;
    }
  }
  return { places, cosines: tensor(cosines, rows.length, length) };
};

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
  const norms = Math.hypot(...a) * Math.hypot(...b);
  return norms > 0 ? dot / norms : 0;
}
