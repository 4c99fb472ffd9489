/**
 * Products of many rows in half precision: x and what W's numbers stand for are rounded to 11 bits, and added up in fp32. On the device's
 * matrix units where it tells of them, else in registers.
 */
import type { MatrixUnit, Source } from "../../../src/gpu/index.ts";
import { type GpuArrays, type GpuTensor, grid, MOST_GROUPS, parameters } from "../../gpu/arrays.ts";
import { matrixBlocks, overMatrix } from "../../gpu/matrix/code.ts";
import { type MatrixForm, nameOf } from "../../gpu/matrix/matrix.ts";
import { room } from "../../gpu/room.ts";
import { variants } from "../../gpu/variants.ts";
import type { Matmul } from "../index.ts";
import common from "../matmul.wgsl" with { type: "text" };
import { access, inputOf, shapeOf, TILE, tiled } from "../tile.ts";
import matrices from "./matrices.wgsl" with { type: "text" };
import round from "./round.wgsl" with { type: "text" };

/** Rows of W in a tile on matrix units. */
const WIDE_TILE = 128;

/**
 * On a device with half precision. Holds room for x in halves until it is disposed.
 *
 * @param enough workgroups with which the device is full: with fewer, tiles on matrix units are half as high. Default: for large devices
 */
export function halvesMatmul(arrays: GpuArrays, enough = 256): Matmul & Disposable {
  const { gpu } = arrays;
  const program = variants(gpu);
  const unit = gpu.features.matrices;
  const rounded = room(arrays, "x in halves");

  const inRegisters: Matmul = (x, weights, out, options = {}) => {
    const [rows = 0] = x.dims;
    for (const part of weights.parts) {
      const own = program(`${weights.columns % 4 === 0} ${nameOf(part.form)}`, () =>
        tiled(part.form, weights.columns, "half"),
      );
      const blocks = [x.block, (options.bias ?? x).block, out.block, ...matrixBlocks(part)];
      const groups = [Math.ceil(part.rows / TILE), Math.ceil(rows / TILE)] as const;
      gpu.dispatch(own, blocks, groups, shapeOf(rows, weights, part, options));
    }
  };

  /** Rows in whole tiles of `most`, in whole stretches of 32 columns. */
  const inHalves = (x: GpuTensor, most: number): GpuTensor => {
    const [rows = 0, columns = 0] = x.dims;
    const eights = 4 * Math.ceil(columns / 32);
    const halves = rounded.of(4 * eights * most * Math.ceil(rows / most));
    const own = program(`round ${columns % 4 === 0}`, () => ({
      name: "round to halves",
      code: [inputOf(columns), round].join("\n"),
      access: ["read", "write"],
      constants: { MOST_GROUPS },
      parameters: true,
    }));
    const fields = parameters(rows, columns, Math.ceil(columns / 4), eights);
    gpu.dispatch(own, [x.block, halves.block], grid(rows * eights, 64), fields);
    return halves;
  };

  const onMatrixUnits =
    (matrixUnit: MatrixUnit): Matmul =>
    (x, weights, out, options = {}) => {
      const [rows = 0] = x.dims;
      const halves = inHalves(x, 2 * TILE);
      for (const part of weights.parts) {
        const across = Math.ceil(part.rows / WIDE_TILE);
        const high = across * Math.ceil(rows / (2 * TILE)) >= enough ? 2 : 1;
        const own = program(`${high} ${nameOf(part.form)}`, () => byMatrices(part.form, matrixUnit, high));
        const blocks = [halves.block, (options.bias ?? x).block, out.block, ...matrixBlocks(part)];
        gpu.dispatch(own, blocks, [across, Math.ceil(rows / (high * TILE))], shapeOf(rows, weights, part, options));
      }
    };

  return Object.assign(unit === null ? inRegisters : onMatrixUnits(unit), {
    [Symbol.dispose]: rounded[Symbol.dispose],
  });
}

const byMatrices = (form: MatrixForm, { M, N, K, lanes }: MatrixUnit, high: number): Source =>
  overMatrix(form, {
    name: "matmul on matrix units",
    code: [common, matrices].join("\n"),
    access,
    constants: { M, N, K, LANES: lanes, HIGH: high, HALVES: form.type === "f16" },
    parameters: true,
    enables: ["f16", "subgroups", "chromium_experimental_subgroup_matrix"],
  });
