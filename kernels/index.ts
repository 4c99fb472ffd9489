/**
 * The numeric kernels of KV-cache compression: what a score, a selection and a ragged cache are computed with.
 *
 * One folder per kernel: `index.ts` is the contract, `reference.ts` readable TypeScript that tests trust, `onnx.ts` the CPU
 * graph (WGSL comes beside it). An engine brings a `Kernels`; scoring policies only ever see this interface.
 * n keys, H query heads, KH KV heads, H = KH * G, query head h reads KV head floor(h / G); d head dimension. Row-major fp32.
 */
export type { Kernels } from "./kernels.ts";
export { onnxKernels } from "./onnx.ts";
export { referenceKernels } from "./reference.ts";
export type { Stored, Tensor, Visibility } from "./tensor.ts";
