/** The network's kernels on a GPU. Programs are compiled at first use and live as long as the device. */
import type { Gpu } from "../src/gpu/index.ts";
import { addNorm } from "./add-norm/webgpu.ts";
import { argmax } from "./argmax/webgpu.ts";
import { embed } from "./embed/webgpu.ts";
import { gate } from "./gate/webgpu.ts";
import { gpuArrays } from "./gpu/arrays.ts";
import { fastMatmul } from "./matmul/fast.ts";
import { matmul } from "./matmul/webgpu.ts";
import type { NetworkKernels } from "./network-kernels.ts";
import { rotate } from "./rotate/webgpu.ts";
import { sample } from "./sample/webgpu.ts";

/** @param fast whether products may round x, and in tiles W, for speed */
export const networkKernels = (gpu: Gpu, fast = false): NetworkKernels => {
  const arrays = gpuArrays(gpu);
  const quick = fast ? fastMatmul(arrays) : null;
  return {
    matmul: quick ?? matmul(arrays),
    addNorm: addNorm(arrays),
    rotate: rotate(arrays),
    gate: gate(arrays),
    embed: embed(arrays),
    argmax: argmax(arrays),
    sample: sample(arrays),
    [Symbol.dispose]: () => quick?.[Symbol.dispose](),
  };
};
