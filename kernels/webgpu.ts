/** Every kernel on a GPU. Programs are compiled at first use and live as long as the device. */
import type { Gpu } from "../src/gpu/index.ts";
import { aboveAverage } from "./above-average/webgpu.ts";
import { chunkAttention } from "./chunk-attention/webgpu.ts";
import { columnMax } from "./column-max/webgpu.ts";
import { columnSums } from "./column-sums/webgpu.ts";
import { gpuArrays } from "./gpu/arrays.ts";
import type { Kernels } from "./kernels.ts";
import { relativeSums } from "./relative-sums/webgpu.ts";
import { windowAttention } from "./window-attention/webgpu.ts";
import { windowStatistics } from "./window-statistics/webgpu.ts";

/** The kernels of the GPU engine, on a device that outlives them. Disposing is free. */
export const webgpuKernels = (gpu: Gpu): Partial<Kernels> => {
  const arrays = gpuArrays(gpu);
  return {
    windowAttention: windowAttention(arrays),
    columnSums: columnSums(arrays),
    chunkAttention: chunkAttention(arrays),
    columnMax: columnMax(arrays),
    relativeSums: relativeSums(arrays),
    aboveAverage: aboveAverage(arrays),
    windowStatistics: windowStatistics(arrays),
    [Symbol.dispose]: () => undefined,
  };
};
