/** Every kernel on a GPU. Programs are compiled at first use and live as long as the device. */
import type { Gpu } from "../src/gpu/index.ts";
import { aboveAverage } from "./above-average/webgpu.ts";
import { avgPool } from "./avg-pool/webgpu.ts";
import { beforeRope } from "./before-rope/webgpu.ts";
import { chunkAttention } from "./chunk-attention/webgpu.ts";
import { columnMax } from "./column-max/webgpu.ts";
import { columnSums } from "./column-sums/webgpu.ts";
import { gather } from "./gather/webgpu.ts";
import { gpuArrays } from "./gpu/arrays.ts";
import { groupMax } from "./group-max/webgpu.ts";
import { groupMean } from "./group-mean/webgpu.ts";
import type { Kernels } from "./kernels.ts";
import { keyNorms } from "./key-norms/webgpu.ts";
import { keySimilarity } from "./key-similarity/webgpu.ts";
import { leverage } from "./leverage/webgpu.ts";
import { maxPool } from "./max-pool/webgpu.ts";
import { moments } from "./moments/webgpu.ts";
import { nearestKeys } from "./nearest-keys/webgpu.ts";
import { projectedNorms } from "./projected-norms/webgpu.ts";
import { projections } from "./projections/webgpu.ts";
import { quadraticForms } from "./quadratic-forms/webgpu.ts";
import { relativeSums } from "./relative-sums/webgpu.ts";
import { topK } from "./top-k/webgpu.ts";
import { valueNorms } from "./value-norms/webgpu.ts";
import { windowAttention } from "./window-attention/webgpu.ts";
import { windowStatistics } from "./window-statistics/webgpu.ts";

/** The kernels of the GPU engine, on a device that outlives them. Disposing is free. */
export const webgpuKernels = (gpu: Gpu): Kernels => {
  const arrays = gpuArrays(gpu);
  return {
    windowAttention: windowAttention(arrays),
    columnSums: columnSums(arrays),
    chunkAttention: chunkAttention(arrays),
    columnMax: columnMax(arrays),
    relativeSums: relativeSums(arrays),
    aboveAverage: aboveAverage(arrays),
    windowStatistics: windowStatistics(arrays),
    read: arrays.read,
    avgPool: avgPool(arrays),
    beforeRope: beforeRope(arrays),
    gather: gather(arrays),
    groupMax: groupMax(arrays),
    groupMean: groupMean(arrays),
    keyNorms: keyNorms(arrays),
    keySimilarity: keySimilarity(arrays),
    leverage: leverage(arrays),
    maxPool: maxPool(arrays),
    moments: moments(arrays),
    nearestKeys: nearestKeys(arrays),
    projectedNorms: projectedNorms(arrays),
    projections: projections(arrays),
    quadraticForms: quadraticForms(arrays),
    topK: topK(arrays),
    valueNorms: valueNorms(arrays),
    [Symbol.dispose]: () => undefined,
  };
};
