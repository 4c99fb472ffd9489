import { type Tensor, tensor } from "../tensor.ts";
import type { BeforeRope } from "./index.ts";
import { ropeShape } from "./shape.ts";

export const beforeRope: BeforeRope<Tensor> = async (keys, positions, frequencies) => {
  const [kvHeads, length, size] = ropeShape(keys, positions, frequencies);
  const before = new Float32Array(keys.data.length);
  for (let row = 0; row < kvHeads * length; row++)
    for (const [pair, frequency] of frequencies.entries()) {
      const angle = (positions[row] ?? 0) * frequency;
      const [first, second] = [row * size + pair, row * size + pair + size / 2];
      const [a, b] = [keys.data[first] ?? 0, keys.data[second] ?? 0];
      before[first] = a * Math.cos(angle) + b * Math.sin(angle);
      before[second] = b * Math.cos(angle) - a * Math.sin(angle);
    }
  return tensor(before, kvHeads, length, size);
};
