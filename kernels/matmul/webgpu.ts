import type { Source } from "../../src/gpu/index.ts";
import { type GpuArrays, grid, MOST_GROUPS } from "../gpu/arrays.ts";
import { matrixBlocks, overMatrix } from "../gpu/matrix/code.ts";
import { type MatrixForm, nameOf } from "../gpu/matrix/matrix.ts";
import { variants } from "../gpu/variants.ts";
import gemv from "./gemv.wgsl" with { type: "text" };
import type { Matmul } from "./index.ts";
import common from "./matmul.wgsl" with { type: "text" };
import reduce from "./reduce.wgsl" with { type: "text" };
import reduceSubgroups from "./reduce-subgroups.wgsl" with { type: "text" };
import { access, inputOf, shapeOf, TILE, tiled } from "./tile.ts";

/** Rows of W that a workgroup takes where x has few rows, and how many rows of x may share them. */
export const ROWS = 4;
export const COUNTS = [1, 2, 4, 8] as const;
/** Up to so many rows of x, every 8 read W by themselves: from there on a tile is at least half full, and there are enough of them. */
export const FEW = 32;

export const matmul = ({ gpu }: GpuArrays): Matmul => {
  const program = variants(gpu);
  const subgroups = gpu.features.subgroups !== null;
  return (x, weights, out, options = {}) => {
    const { columns, parts } = weights;
    const [rows = 0] = x.dims;
    const few = rows <= FEW;
    const count = COUNTS.find((most) => rows <= most) ?? 8;
    for (const part of parts) {
      const { form } = part;
      const own = program(`${few ? count : "tile"} ${columns % 4 === 0} ${nameOf(form)}`, () =>
        few ? forFew(form, columns, count, subgroups) : tiled(form, columns, "single"),
      );
      const groups = few
        ? ([Math.ceil(rows / count), ...grid(part.rows, ROWS)] as const)
        : ([Math.ceil(part.rows / TILE), Math.ceil(rows / TILE)] as const);
      const blocks = [x.block, (options.bias ?? x).block, out.block, ...matrixBlocks(part)];
      gpu.dispatch(own, blocks, groups, shapeOf(rows, weights, part, options));
    }
  };
};

const forFew = (form: MatrixForm, columns: number, count: number, subgroups: boolean): Source =>
  overMatrix(form, {
    name: `matmul of ${count} rows`,
    code: [common, inputOf(columns), subgroups ? reduceSubgroups : reduce, gemv].join("\n"),
    access,
    constants: { COUNT: count, MOST_GROUPS },
    parameters: true,
    enables: subgroups ? ["subgroups"] : [],
  });
