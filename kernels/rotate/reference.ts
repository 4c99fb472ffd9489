import { rotate as turn } from "../../src/model/rope.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { RotateShape } from "./index.ts";

/** joint [S, (H + 2 KH) d] -> queries [H, S, d], the same before RoPE [S, H d], keys and values [KH, S, d] */
export function rotate(
  joint: Tensor,
  { heads, kvHeads, queryScale }: RotateShape,
  positions: readonly number[],
  frequencies: Float64Array,
  norm: { readonly scales: Tensor; readonly epsilon: number } | null,
): { readonly queries: Tensor; readonly unturned: Tensor; readonly keys: Tensor; readonly values: Tensor } {
  const [rows = 0, width = 0] = joint.dims;
  const size = 2 * frequencies.length;
  const queries = new Float32Array(heads * rows * size);
  const unturned = new Float32Array(rows * heads * size);
  const [keys, values] = [new Float32Array(kvHeads * rows * size), new Float32Array(kvHeads * rows * size)];
  for (const [row, position] of positions.entries()) {
    const head = (h: number) => joint.data.slice(row * width + h * size, row * width + (h + 1) * size);
    const normed = (h: number, which: number) => {
      const own = head(h);
      if (norm === null) return own;
      const length = Math.sqrt(own.reduce((sum, x) => sum + x ** 2, 0) / size + norm.epsilon);
      return own.map((x, i) => (x / length) * (norm.scales.data[which * size + i] ?? 0));
    };
    for (let h = 0; h < heads; h++) {
      const query = normed(h, 0).map((x) => x * queryScale);
      unturned.set(query, (row * heads + h) * size);
      turn(query, frequencies, position);
      queries.set(query, (h * rows + row) * size);
    }
    for (let h = 0; h < kvHeads; h++) {
      const key = normed(heads + h, 1);
      turn(key, frequencies, position);
      keys.set(key, (h * rows + row) * size);
      values.set(head(heads + kvHeads + h), (h * rows + row) * size);
    }
  }
  return {
    queries: tensor(queries, heads, rows, size),
    unturned: tensor(unturned, rows, heads * size),
    keys: tensor(keys, kvHeads, rows, size),
    values: tensor(values, kvHeads, rows, size),
  };
}
