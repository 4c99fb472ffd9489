import type { Activation } from "../../src/model/config.ts";
import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import code from "./gate.wgsl" with { type: "text" };
import type { Gate } from "./index.ts";

export function gate({ gpu }: GpuArrays, activation: Activation): Gate {
  const constants = { GROUPS: MOST_GROUPS };
  const program = gpu.program({ name: "gate", code, access: ["read", "write"], constants, parameters: true });
  return (gated, up) => {
    const count = up.dims.reduce((product, dim) => product * dim, 1);
    const fields = parameters(count, activation === "silu" ? 0 : 1);
    gpu.dispatch(program, [gated.block, up.block], grid(count, 64), fields);
  };
}
