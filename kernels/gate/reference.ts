import type { Activation } from "../../src/model/config.ts";
import { type Tensor, tensor } from "../tensor.ts";

/** joint [S, 2 I] -> [S, I] */
export function gate(joint: Tensor, activation: Activation): Tensor {
  const [rows = 0, width = 0] = joint.dims;
  const size = width / 2;
  const data = Float32Array.from({ length: rows * size }, (_, i) => {
    const at = Math.floor(i / size) * width + (i % size);
    return activate[activation](joint.data[at] ?? 0) * (joint.data[at + size] ?? 0);
  });
  return tensor(data, rows, size);
}

const activate: Readonly<Record<Activation, (x: number) => number>> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  "gelu-tanh": (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};
