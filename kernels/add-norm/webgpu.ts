import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import total from "../gpu/total.wgsl" with { type: "text" };
import { once } from "../gpu/variants.ts";
import code from "./add-norm.wgsl" with { type: "text" };
import type { AddNorm } from "./index.ts";

export const addNorm = ({ gpu }: GpuArrays): AddNorm => {
  const program = once(gpu, {
    name: "addNorm",
    code: `${code}\n${total}`,
    access: ["read", "read", "write", "write"],
    constants: { MOST_GROUPS },
    parameters: true,
  });
  return (residual, x, scale, epsilon, out) => {
    const [rows = 0, columns = 0] = residual.dims;
    const blocks = [(x ?? scale).block, scale.block, residual.block, out.block];
    const fields = parameters(rows, columns, x === null ? 0 : 1, { float: epsilon });
    gpu.dispatch(program(), blocks, grid(rows, 1), fields);
  };
};
