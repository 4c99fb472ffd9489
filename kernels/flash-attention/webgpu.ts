import { type GpuArrays, parameters } from "../gpu/arrays.ts";
import code from "./flash-attention.wgsl" with { type: "text" };
import type { FlashAttentionOnGpu } from "./index.ts";

const ROWS = 32;

/** @param headDim a multiple of 4 */
export function flashAttention({ gpu }: GpuArrays, headDim: number): FlashAttentionOnGpu {
  const program = gpu.program({
    name: "flashAttention",
    code,
    access: ["read", "read", "read", "write"],
    constants: { D4: headDim / 4 },
    parameters: true,
  });
  const scale = { float: 1 / Math.sqrt(headDim) };
  return ({ queries, keys, values, length, slidingWindow }, out) => {
    const [heads = 0, count = 0] = queries.dims;
    const [kvHeads = 1, capacity = 0] = keys.dims;
    const fields = parameters(heads, heads / kvHeads, count, length, capacity, slidingWindow ?? 0, scale);
    const blocks = [queries.block, keys.block, values.block, out.block];
    gpu.dispatch(program, blocks, [Math.ceil(count / ROWS), heads], fields);
  };
}
