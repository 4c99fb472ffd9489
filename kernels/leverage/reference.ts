import { type Tensor, tensor } from "../tensor.ts";
import type { Leverage } from "./index.ts";
import { leverageShape } from "./shape.ts";

export const leverage: Leverage<Tensor> = async (vectors, shortening, ridge) => {
  const [kvHeads, length, size, short] = leverageShape(vectors, shortening, ridge);
  const scores = new Float32Array(kvHeads * length);
  for (let head = 0; head < kvHeads; head++) {
    const own = Array.from({ length }, (_, j) => {
      const from = (head * length + j) * size;
      return Float64Array.from(vectors.data.subarray(from, from + size));
    });
    const mean = new Float64Array(size).map((_, c) => own.reduce((sum, vector) => sum + (vector[c] ?? 0), 0) / length);
    const rows = own.map((vector) =>
      new Float64Array(short).map((_, k) =>
        vector.reduce((sum, x, c) => sum + (x - (mean[c] ?? 0)) * (shortening.data[c * short + k] ?? 0), 0),
      ),
    );
    const gram = Array.from({ length: short }, (_, a) =>
      new Float64Array(short).map((_, b) =>
        rows.reduce((sum, row) => sum + (row[a] ?? 0) * (row[b] ?? 0), a === b ? ridge : 0),
      ),
    );
    const inverse = inverted(gram);
    for (const [j, row] of rows.entries())
      scores[head * length + j] = row.reduce((sum, x, a) => sum + x * dot(inverse[a] ?? row, row), 0);
  }
  return tensor(scores, kvHeads, length);
};

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** Gauss-Jordan elimination; a positive definite matrix needs no pivots. */
function inverted(matrix: readonly Float64Array[]): readonly Float64Array[] {
  const rows = matrix.map((row) => row.slice());
  for (const [p, pivot] of rows.entries()) {
    const factor = 1 / (pivot[p] ?? 1);
    pivot[p] = 1;
    for (let c = 0; c < pivot.length; c++) pivot[c] = (pivot[c] ?? 0) * factor;
    for (const row of rows) {
      if (row === pivot) continue;
      const share = row[p] ?? 0;
      row[p] = 0;
      for (let c = 0; c < row.length; c++) row[c] = (row[c] ?? 0) - share * (pivot[c] ?? 0);
    }
  }
  return rows;
}
