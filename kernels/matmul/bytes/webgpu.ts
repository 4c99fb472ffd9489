/**
 * Products with quantised matrices in whole numbers: x is rounded to bytes, with a scale for every block of W, which counts as it is stored.
 * A block's sum is exact, and blocks are added up in fp32.
 */
import type { Source } from "../../../src/gpu/index.ts";
import { type GpuArrays, type GpuTensor, grid, MOST_GROUPS, parameters } from "../../gpu/arrays.ts";
import { dot4 } from "../../gpu/dot4.ts";
import { matrixBlocks, overMatrix } from "../../gpu/matrix/code.ts";
import { COLUMNS, type MatrixForm, nameOf, zeroOf } from "../../gpu/matrix/matrix.ts";
import { room } from "../../gpu/room.ts";
import { variants } from "../../gpu/variants.ts";
import type { Matmul } from "../index.ts";
import common from "../matmul.wgsl" with { type: "text" };
import reduce from "../reduce.wgsl" with { type: "text" };
import reduceSubgroups from "../reduce-subgroups.wgsl" with { type: "text" };
import { inputOf, shapeOf, TILE } from "../tile.ts";
import { COUNTS, FEW, ROWS } from "../webgpu.ts";
import bytesCode from "./bytes.wgsl" with { type: "text" };
import gemm from "./gemm.wgsl" with { type: "text" };
import gemv from "./gemv.wgsl" with { type: "text" };
import round from "./round.wgsl" with { type: "text" };

/** Of quantised matrices only. Holds room for x in bytes until it is disposed. */
export function bytesMatmul(arrays: GpuArrays): Matmul & Disposable {
  const { gpu } = arrays;
  const program = variants(gpu);
  const bytes = room(arrays, "x in bytes");
  const scales = room(arrays, "scales of x");

  /** Rows in bytes, and their scales, as a matrix of this form wants them. */
  const inBytes = (x: GpuTensor, form: MatrixForm): readonly GpuTensor[] => {
    const [rows = 0, columns = 0] = x.dims;
    const stretches = Math.ceil(columns / 32);
    const made = [bytes.of(rows * stretches * 8), scales.of(rows * stretches * 8)];
    const own = program(`round ${columns % 4 === 0} ${nameOf(form)}`, () => ({
      name: "round to bytes",
      code: [inputOf(columns), round].join("\n"),
      access: ["read", "write", "write"],
      constants: { ...formOf(form), MOST_GROUPS },
      parameters: true,
    }));
    const fields = parameters(rows, columns, Math.ceil(columns / 4), stretches);
    const items = (rows * stretches * 32) / form.block;
    gpu.dispatch(
      own,
      [x, ...made].map(({ block }) => block),
      grid(items, 64),
      fields,
    );
    return made;
  };

  const product: Matmul = (x, weights, out, options = {}) => {
    const [rows = 0] = x.dims;
    const few = rows <= FEW;
    const count = COUNTS.find((most) => rows <= most) ?? 8;
    let known = "";
    let rounded: readonly GpuTensor[] = [];
    for (const part of weights.parts) {
      const { form } = part;
      if (known !== nameOf(form)) rounded = inBytes(x, form);
      known = nameOf(form);
      const own = program(`${few ? count : "tile"} ${known}`, () =>
        few ? forFew(gpu, form, count) : overBytes(form, { name: "matmul in bytes", code: [dot4(gpu), gemm] }),
      );
      const groups = few
        ? ([Math.ceil(rows / count), ...grid(part.rows, ROWS)] as const)
        : ([Math.ceil(part.rows / TILE), Math.ceil(rows / TILE)] as const);
      const [inputs = x, ofX = x] = rounded;
      const blocks = [inputs.block, (options.bias ?? x).block, out.block, ofX.block, ...matrixBlocks(part)];
      gpu.dispatch(own, blocks, groups, shapeOf(rows, weights, part, options));
    }
  };

  return Object.assign(product, {
    [Symbol.dispose]() {
      bytes[Symbol.dispose]();
      scales[Symbol.dispose]();
    },
  });
}

/** As `overMatrix` tells of W. A piece is what is read at once of a block. */
const formOf = ({ type, block }: MatrixForm) => ({
  NIBBLES: type === "q4",
  BLOCK: block / 4,
  PIECE: Math.min(COLUMNS[type], block) / 4,
});

interface OverBytes extends Pick<Source, "name" | "constants" | "enables"> {
  readonly code: readonly string[];
}

const overBytes = (form: MatrixForm, { code, constants, ...source }: OverBytes): Source =>
  overMatrix(form, {
    ...source,
    code: [common, bytesCode, ...code].join("\n"),
    access: ["read", "read", "write", "read"],
    constants: { ...constants, NIBBLES: form.type === "q4", MOVED: form.type === "q4" ? 8 - zeroOf(form) : 0 },
    parameters: true,
  });

const forFew = (gpu: GpuArrays["gpu"], form: MatrixForm, count: number): Source => {
  const subgroups = gpu.features.subgroups !== null;
  return overBytes(form, {
    name: `matmul of ${count} rows in bytes`,
    code: [dot4(gpu), subgroups ? reduceSubgroups : reduce, gemv],
    constants: { COUNT: count, MOST_GROUPS },
    enables: subgroups ? ["subgroups"] : [],
  });
};
