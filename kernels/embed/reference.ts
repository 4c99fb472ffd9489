import { type Tensor, tensor } from "../tensor.ts";

/** table [V, D] -> [S, D] */
export function embed(tokens: readonly number[], table: Tensor, scale: number): Tensor {
  const [, size = 0] = table.dims;
  const data = new Float32Array(tokens.length * size);
  for (const [s, token] of tokens.entries()) {
    data.set(
      table.data.subarray(token * size, (token + 1) * size).map((x) => x * scale),
      s * size,
    );
  }
  return tensor(data, tokens.length, size);
}
