import { type Tensor, tensor } from "../tensor.ts";

/** x [S, K], W [N, K], bias [N], residual [S, N] -> [S, N] */
export function matmul(x: Tensor, weights: Tensor, bias: Tensor | null, residual: Tensor | null): Tensor {
  const [rows = 0, columns = 0] = x.dims;
  const [outputs = 0] = weights.dims;
  const out = new Float32Array(rows * outputs);
  for (let s = 0; s < rows; s++) {
    for (let n = 0; n < outputs; n++) {
      let sum = (bias?.data[n] ?? 0) + (residual?.data[s * outputs + n] ?? 0);
      for (let k = 0; k < columns; k++) sum += (x.data[s * columns + k] ?? 0) * (weights.data[n * columns + k] ?? 0);
      out[s * outputs + n] = sum;
    }
  }
  return tensor(out, rows, outputs);
}
