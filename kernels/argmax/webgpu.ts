import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import rank from "../gpu/rank.wgsl" with { type: "text" };
import { once } from "../gpu/variants.ts";
import code from "./argmax.wgsl" with { type: "text" };
import type { Argmax } from "./index.ts";

export const argmax = ({ gpu }: GpuArrays): Argmax => {
  const program = once(gpu, {
    name: "argmax",
    code: `${rank}\n${code}`,
    access: ["read", "write"],
    constants: { MOST_GROUPS },
    parameters: true,
  });
  return (logits, out) => {
    const [rows = 0, columns = 0] = logits.dims;
    gpu.dispatch(program(), [logits.block, out.block], grid(rows, 1), parameters(rows, columns));
  };
};
