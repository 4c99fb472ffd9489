/** What all products share, and the one for many rows of x, whose tile stands in single or in half precision. */
import type { Source } from "../../src/gpu/index.ts";
import { parameters } from "../gpu/arrays.ts";
import { overMatrix } from "../gpu/matrix/code.ts";
import { COLUMNS, type GpuMatrix, type MatrixForm, type MatrixPart } from "../gpu/matrix/matrix.ts";
import gemm from "./gemm.wgsl" with { type: "text" };
import half from "./halves/half.wgsl" with { type: "text" };
import type { MatmulOptions } from "./index.ts";
import common from "./matmul.wgsl" with { type: "text" };
import ragged from "./ragged.wgsl" with { type: "text" };
import single from "./single.wgsl" with { type: "text" };
import whole from "./whole.wgsl" with { type: "text" };

/** Rows of x, and of W, in a tile. */
export const TILE = 64;

/** WGSL's `input`, which reads rows of so many columns. */
export const inputOf = (columns: number): string => (columns % 4 === 0 ? whole : ragged);

/** Parameters of a product with one part of a matrix, in the order of matmul.wgsl's `Shape`. */
export function shapeOf(
  rows: number,
  { rows: width, columns }: GpuMatrix,
  { from, rows: part, form }: MatrixPart,
  { bias = null, add = false }: MatmulOptions,
): Uint32Array {
  const [fours, units] = [Math.ceil(columns / 4), Math.ceil(columns / COLUMNS[form.type])];
  return parameters(rows, columns, fours, units, from, part, width, bias === null ? 0 : 1, add ? 1 : 0);
}

export const access = ["read", "read", "write"] as const;

export const tiled = (form: MatrixForm, columns: number, precision: "single" | "half"): Source =>
  overMatrix(form, {
    name: `matmul in ${precision} precision`,
    code: [common, inputOf(columns), precision === "half" ? half : single, gemm].join("\n"),
    access,
    parameters: true,
    enables: precision === "half" ? ["f16"] : [],
  });
