import type { Source } from "../../src/gpu/index.ts";
import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import { matrixBlocks, overMatrix } from "../gpu/matrix/code.ts";
import { COLUMNS, type MatrixForm, nameOf } from "../gpu/matrix/matrix.ts";
import { variants } from "../gpu/variants.ts";
import gemm from "./gemm.wgsl" with { type: "text" };
import gemv from "./gemv.wgsl" with { type: "text" };
import type { Matmul } from "./index.ts";
import common from "./matmul.wgsl" with { type: "text" };
import ragged from "./ragged.wgsl" with { type: "text" };
import reduce from "./reduce.wgsl" with { type: "text" };
import reduceSubgroups from "./reduce-subgroups.wgsl" with { type: "text" };
import whole from "./whole.wgsl" with { type: "text" };

/** Rows of W that a workgroup takes where x has few rows, and how many rows of x may share them. */
const ROWS = 4;
const COUNTS = [1, 2, 4, 8] as const;
/** Up to so many rows of x, W is read again for every 8: from there on a tile is at least half full, and there are enough of them. */
const FEW = 32;
const TILE = 64;

export const matmul = ({ gpu }: GpuArrays): Matmul => {
  const program = variants(gpu);
  const subgroups = gpu.features.subgroups !== null;
  return (x, weights, out, { bias = null, add = false } = {}) => {
    const { rows: width, columns, parts } = weights;
    const [rows = 0] = x.dims;
    const fours = Math.ceil(columns / 4);
    const input = columns % 4 === 0 ? whole : ragged;
    const few = rows <= FEW;
    const count = COUNTS.find((most) => rows <= most) ?? 8;
    for (const part of parts) {
      const { form } = part;
      const units = Math.ceil(columns / COLUMNS[form.type]);
      const fields = [rows, columns, fours, units, part.from, part.rows, width, bias === null ? 0 : 1, add ? 1 : 0];
      const own = program(`${few ? count : "tile"} ${columns % 4 === 0} ${nameOf(form)}`, () =>
        few ? forFew(form, input, count, subgroups) : tiled(form, input),
      );
      const groups = few
        ? ([...grid(part.rows, ROWS), Math.ceil(rows / count)] as const)
        : ([Math.ceil(part.rows / TILE), Math.ceil(rows / TILE)] as const);
      const blocks = [x.block, (bias ?? x).block, out.block, ...matrixBlocks(part)];
      gpu.dispatch(own, blocks, groups, parameters(...fields));
    }
  };
};

const access = ["read", "read", "write"] as const;

const forFew = (form: MatrixForm, input: string, count: number, subgroups: boolean): Source =>
  overMatrix(form, {
    name: `matmul of ${count} rows`,
    code: [common, input, subgroups ? reduceSubgroups : reduce, gemv].join("\n"),
    access,
    constants: { COUNT: count, MOST_GROUPS },
    parameters: true,
    enables: subgroups ? ["subgroups"] : [],
  });

const tiled = (form: MatrixForm, input: string): Source =>
  overMatrix(form, { name: "matmul", code: [common, input, gemm].join("\n"), access, parameters: true });
