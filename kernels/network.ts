/** The network's kernels on a GPU. Programs are compiled at first use and live as long as the device. */
import type { Gpu } from "../src/gpu/index.ts";
import { addNorm } from "./add-norm/webgpu.ts";
import { argmax } from "./argmax/webgpu.ts";
import { embed } from "./embed/webgpu.ts";
import { gate } from "./gate/webgpu.ts";
import { gpuArrays } from "./gpu/arrays.ts";
import { matmul } from "./matmul/webgpu.ts";
import type { NetworkKernels } from "./network-kernels.ts";
import { rotate } from "./rotate/webgpu.ts";
import { sample } from "./sample/webgpu.ts";

export const networkKernels = (gpu: Gpu): NetworkKernels => {
  const arrays = gpuArrays(gpu);
  return {
    matmul: matmul(arrays),
    addNorm: addNorm(arrays),
    rotate: rotate(arrays),
    gate: gate(arrays),
    embed: embed(arrays),
    argmax: argmax(arrays),
    sample: sample(arrays),
  };
};
