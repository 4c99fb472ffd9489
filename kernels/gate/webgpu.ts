import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import { once } from "../gpu/variants.ts";
import code from "./gate.wgsl" with { type: "text" };
import type { Gate } from "./index.ts";

export const gate = ({ gpu }: GpuArrays): Gate => {
  const program = once(gpu, {
    name: "gate",
    code,
    access: ["read", "write"],
    constants: { MOST_GROUPS },
    parameters: true,
  });
  return (joint, activation, out) => {
    const [rows = 0, width = 0] = joint.dims;
    const size = width / 2;
    const fields = parameters(rows, size, activation === "silu" ? 0 : 1);
    gpu.dispatch(program(), [joint.block, out.block], grid(rows * size, 256), fields);
  };
};
