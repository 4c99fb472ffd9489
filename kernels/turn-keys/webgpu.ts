import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import type { TurnKeys } from "./index.ts";
import code from "./turn-keys.wgsl" with { type: "text" };

/** @param headDim even */
export function turnKeys({ gpu }: GpuArrays, headDim: number): TurnKeys {
  const HALF = headDim / 2;
  const source = {
    name: "turnKeys",
    code,
    access: ["read", "read", "read", "write"],
    constants: { HALF, GROUPS: MOST_GROUPS },
    parameters: true,
  } as const;
  return (keys, { rows, by, table, count }) => {
    const blocks = [rows, by, table, keys].map(({ block }) => block);
    gpu.dispatch(gpu.program(source), blocks, grid(count * HALF, 64), parameters(count));
  };
}
