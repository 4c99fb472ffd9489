/** Scores reduced over the query heads of a group, or over a row's columns around each one. */
import type { Tensor } from "../tensor.ts";
import { type GpuArrays, grid, MOST_GROUPS, parameters, run } from "./arrays.ts";
import code from "./stretches.wgsl" with { type: "text" };

/** WGSL's bodies of join(before: f32, next: f32), and of finish(value: f32) where the stretch is over. */
interface Reduction {
  readonly join: string;
  readonly finish: string;
}

export const MEAN: Reduction = { join: "return before + next;", finish: "return value / shape.size;" };
export const HIGHEST: Reduction = { join: "return max(before, next);", finish: "return value;" };

/** Scores [KH * G, m] -> [KH, m]. */
export const overGroups = (
  arrays: GpuArrays,
  scores: Tensor,
  kvHeads: number,
  group: number,
  reduction: Reduction,
): Promise<Tensor> => {
  const stretch = `
    let first = row * shape.reach * shape.columns + column;
    return Stretch(first, first + shape.reach * shape.columns, shape.columns);`;
  const [, columns = 0] = scores.dims;
  return reduced(arrays, "group", scores, [kvHeads, columns], stretch, reduction, { reach: group, size: group });
};

/** Scores [r, m] -> [r, m]: windows that are cut at the ends of a row, and whose mean is over the full size. */
export const overWindows = (arrays: GpuArrays, scores: Tensor, size: number, reduction: Reduction): Promise<Tensor> => {
  const stretch = `
    let first = row * shape.columns;
    return Stretch(first + column - min(column, shape.reach), first + min(shape.columns, column + shape.reach + 1u), 1u);`;
  const [, columns = 0] = scores.dims;
  const reach = Math.min((size - 1) / 2, columns);
  return reduced(arrays, "pool", scores, scores.dims, stretch, reduction, { reach, size });
};

async function reduced(
  arrays: GpuArrays,
  name: string,
  scores: Tensor,
  dims: readonly number[],
  stretch: string,
  { join, finish }: Reduction,
  { reach, size }: { readonly reach: number; readonly size: number },
): Promise<Tensor> {
  const [rows = 0, columns = 0] = dims;
  using given = arrays.of(scores, "scores");
  const out = arrays.empty(name, rows, columns);
  const bodies = [
    `fn stretch(row: u32, column: u32) -> Stretch { ${stretch} }`,
    `fn join(before: f32, next: f32) -> f32 { ${join} }`,
    `fn finish(value: f32) -> f32 { ${finish} }`,
  ];
  run(
    arrays,
    {
      name,
      code: [...bodies, code].join("\n"),
      access: ["read", "write"],
      constants: { MOST_GROUPS },
      parameters: true,
    },
    [given, out],
    grid(rows * columns, 256),
    parameters(rows * columns, columns, reach, { float: size }),
  );
  return arrays.result(out);
}
