import type { Tensor } from "../tensor.ts";

/** Turns key rows[i] by the table's row by[i], in place. */
export function turnKeys(keys: Tensor, rows: Uint32Array, by: Uint32Array, table: Tensor): void {
  const [, size = 0] = table.dims;
  const half = size / 2;
  for (const [i, row] of rows.entries())
    for (let pair = 0; pair < half; pair++) {
      const [cos, sin] = [
        table.data[(by[i] ?? 0) * size + pair] ?? 0,
        table.data[(by[i] ?? 0) * size + half + pair] ?? 0,
      ];
      const [first, second] = [row * size + pair, row * size + half + pair];
      const [a, b] = [keys.data[first] ?? 0, keys.data[second] ?? 0];
      keys.data[first] = a * cos - b * sin;
      keys.data[second] = b * cos + a * sin;
    }
}
