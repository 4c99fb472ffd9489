/**
 * Products where speed is worth more than the last digits: many rows in half precision where the device has it; else, and for few rows, those
 * with quantised matrices in bytes, where the device multiplies these. What is left is in fp32.
 */
import type { GpuArrays } from "../gpu/arrays.ts";
import { isQuantised } from "../gpu/matrix/matrix.ts";
import { bytesMatmul } from "./bytes/webgpu.ts";
import { halvesMatmul } from "./halves/webgpu.ts";
import type { Matmul } from "./index.ts";
import { FEW, matmul } from "./webgpu.ts";

/** Holds room for x as it is rounded, until it is disposed. */
export function fastMatmul(arrays: GpuArrays): Matmul & Disposable {
  const { f16, packedDot } = arrays.gpu.features;
  const [exact, bytes, halves] = [matmul(arrays), bytesMatmul(arrays), halvesMatmul(arrays)];
  const product: Matmul = (x, weights, out, options) => {
    const [rows = 0] = x.dims;
    if (f16 && rows > FEW) return halves(x, weights, out, options);
    const inBytes = weights.parts.filter(({ form }) => packedDot && isQuantised(form));
    const others = weights.parts.filter((part) => !inBytes.includes(part));
    bytes(x, { ...weights, parts: inBytes }, out, options);
    exact(x, { ...weights, parts: others }, out, options);
  };
  return Object.assign(product, {
    [Symbol.dispose]() {
      bytes[Symbol.dispose]();
      halves[Symbol.dispose]();
    },
  });
}
