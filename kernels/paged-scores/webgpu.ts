import { type GpuArrays, parameters } from "../gpu/arrays.ts";
import { PAGE } from "../paged-attention/index.ts";
import type { PagedScores } from "./index.ts";
import code from "./paged-scores.wgsl" with { type: "text" };

/** @param headDim a multiple of 4 */
export function pagedScores({ gpu }: GpuArrays, kvHeads: number, headDim: number): PagedScores {
  const program = gpu.program({
    name: "pagedScores",
    code,
    access: ["read", "read", "read", "read", "read", "read", "write"],
    constants: { D4: headDim / 4, PAGE },
    parameters: true,
  });
  const scale = { float: 1 / Math.sqrt(headDim) };
  return (
    { queries, keys, table, lists, firstList, positions, rowPositions, slidingWindow },
    longest,
    out,
    first = 0,
  ) => {
    const [heads = 0, rows = 0] = queries.dims;
    const [, columns = 0] = out.dims;
    const fields = parameters(heads / kvHeads, rows, firstList, first, columns, slidingWindow ?? 0, scale);
    const blocks = [queries, keys, table, lists, positions, rowPositions, out].map(({ block }) => block);
    gpu.dispatch(program, blocks, [Math.ceil(longest / 64), heads], fields);
  };
}
