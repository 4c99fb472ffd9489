import { type Tensor, tensor } from "../tensor.ts";

/** residual and x [S, D], scale [D] -> the sum, and the same normalised: [S, D] */
export function addNorm(
  residual: Tensor,
  x: Tensor | null,
  scale: Tensor,
  epsilon: number,
): { readonly residual: Tensor; readonly normed: Tensor } {
  const [rows = 0, columns = 0] = residual.dims;
  const sum = residual.data.map((value, i) => value + (x?.data[i] ?? 0));
  const normed = new Float32Array(sum.length);
  for (let row = 0; row < rows; row++) {
    const own = sum.subarray(row * columns, (row + 1) * columns);
    const squares = own.reduce((total, value) => total + value ** 2, 0);
    const length = Math.sqrt(squares / columns + epsilon);
    for (const [i, value] of own.entries()) normed[row * columns + i] = (value / length) * (scale.data[i] ?? 0);
  }
  return { residual: tensor(sum, rows, columns), normed: tensor(normed, rows, columns) };
}
