/** The network's kernels on a GPU. Programs are compiled at first use and live as long as the device. */
import type { Gpu } from "../src/gpu/index.ts";
import { gpuArrays } from "./gpu/arrays.ts";
import { matmul } from "./matmul/webgpu.ts";
import type { NetworkKernels } from "./network-kernels.ts";

export const networkKernels = (gpu: Gpu): NetworkKernels => {
  const arrays = gpuArrays(gpu);
  return {
    matmul: matmul(arrays),
  };
};
