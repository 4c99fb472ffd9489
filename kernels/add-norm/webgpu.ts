import { type GpuArrays, parameters } from "../gpu/arrays.ts";
import code from "./add-norm.wgsl" with { type: "text" };
import type { AddNorm } from "./index.ts";

export function addNorm({ gpu }: GpuArrays, epsilon: number): AddNorm {
  const program = gpu.program({ name: "addNorm", code, access: ["read", "write", "read", "write"], parameters: true });
  return (x, residual, scale, out) => {
    const [rows = 0, width = 0] = residual.dims;
    const fields = parameters(width, x === null ? 0 : 1, { float: epsilon });
    gpu.dispatch(program, [(x ?? scale).block, residual.block, scale.block, out.block], [rows], fields);
  };
}
