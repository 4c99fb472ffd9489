import { type GpuArrays, type GpuTensor, grid, MOST_GROUPS, parameters, run } from "../../kernels/gpu/arrays.ts";
import code from "./wgsl/noise.wgsl" with { type: "text" };

/** An array of random numbers in [-1, 1), made on the device. */
export function noise(arrays: GpuArrays, label: string, seed: number, ...dims: readonly number[]): GpuTensor {
  const array = arrays.empty(label, ...dims);
  const source = { name: "noise", code, access: ["write"], constants: { MOST_GROUPS }, parameters: true } as const;
  run(arrays, source, [array], grid(Math.ceil(array.block.byteLength / 16), 256), parameters(seed));
  return array;
}
