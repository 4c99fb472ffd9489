import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import type { MoveRows, MoveWithin } from "./index.ts";
import code from "./move-rows.wgsl" with { type: "text" };
import withinCode from "./move-within.wgsl" with { type: "text" };

/** @param headDim a multiple of 4 */
export function moveRows({ gpu }: GpuArrays, headDim: number): MoveRows {
  const D4 = headDim / 4;
  const program = gpu.program({
    name: "moveRows",
    code,
    access: ["read", "read", "read", "read", "read", "write", "write", "write"],
    constants: { D4, GROUPS: MOST_GROUPS },
    parameters: true,
  });
  return (source, { rows, to, first, count }, pool) => {
    const arrays = [source.keys, source.values, source.positions, rows, to, pool.keys, pool.values, pool.positions];
    const blocks = arrays.map(({ block }) => block);
    gpu.dispatch(program, blocks, grid(count * D4, 64), parameters(first, count));
  };
}

/** @param headDim a multiple of 4 */
export function moveWithin({ gpu }: GpuArrays, headDim: number): MoveWithin {
  const D4 = headDim / 4;
  const source = {
    name: "moveWithin",
    code: withinCode,
    access: ["read", "read", "write", "write", "write"],
    constants: { D4, GROUPS: MOST_GROUPS },
    parameters: true,
  } as const;
  return ({ keys, values, positions }, sources, slots, count) => {
    const blocks = [sources, slots, keys, values, positions].map(({ block }) => block);
    gpu.dispatch(gpu.program(source), blocks, grid(count * D4, 64), parameters(count));
  };
}
