/** What programs read matrices with: WGSL's `four` and `scaleOf`, for one form of matrix. */
import type { Source } from "../../../src/gpu/index.ts";
import f16 from "./f16.wgsl" with { type: "text" };
import f32 from "./f32.wgsl" with { type: "text" };
import { COLUMNS, isQuantised, type MatrixForm, type MatrixPart, zeroOf } from "./matrix.ts";
import q4 from "./q4.wgsl" with { type: "text" };
import q8 from "./q8.wgsl" with { type: "text" };
import scaled from "./scaled.wgsl" with { type: "text" };
import unscaled from "./unscaled.wgsl" with { type: "text" };

const codes = { f32, f16, q8, q4 };

/** A program that reads a matrix of this form after its own storage: with `four`, `scaleOf` and their constants written in front. */
export function overMatrix(form: MatrixForm, source: Source): Source {
  const quantised = isQuantised(form);
  const fours = COLUMNS[form.type] / 4;
  return {
    ...source,
    code: `${quantised ? scaled : unscaled}\n${codes[form.type]}\n${source.code}`,
    access: [...source.access, "read", ...(quantised ? (["read"] as const) : [])],
    constants: {
      ...source.constants,
      VALUES: source.access.length + 1,
      FOURS: fours,
      BLOCK: quantised ? form.block / 4 : fours,
      PIECE: quantised ? Math.min(fours, form.block / 4) : fours,
      OFFSETS: form.offsets,
      HALF_SCALES: form.halfScales,
      ZERO: zeroOf(form),
    },
  };
}

/** What it binds after its own storage. */
export const matrixBlocks = ({ values, scales }: MatrixPart) => (scales === null ? [values] : [values, scales]);
