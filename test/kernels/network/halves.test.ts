/**
 * Products in half precision on the GPU against plain loops over rounded numbers.
 *
 * SwiftShader has no half precision in shaders. There, matrix units are loops, and the tile in registers is the very one that is tested in
 * single precision. Mesa's lavapipe has half precision, and from 26 on matrix units too: with VK_ICD_FILENAMES at its driver all of this runs.
 */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { halvesMatmul } from "../../../kernels/matmul/halves/webgpu.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import type { forms } from "./matrices.ts";
import { oneLane } from "./one-lane.ts";
import { cases, checkProduct, upTo } from "./products.ts";

const gpu = await softwareGpu();
const inLoops = oneLane(gpu);
const plain = await softwareGpu({ without: ["matrices"] });
afterAll(() => {
  for (const device of [gpu, plain]) device[Symbol.dispose]();
});

const half = (value: number) => Math.f16round(Math.max(-65504, Math.min(65504, value)));
const toHalves = {
  ofX: ({ data, dims }: { readonly data: Float32Array; readonly dims: readonly number[] }) => ({
    data: data.map(half),
    dims,
  }),
  ofWeights: Math.f16round,
};
const rows = fc.constantFrom(1, 33, 64, 65);

type Names = readonly (keyof typeof forms)[];
const every: Names = ["F32", "F16", "Q8_0", "Q4_1"];
/** Loops take seconds to compile. */
const one: Names = ["F32"];

const backends = [
  { where: "on matrix units", device: gpu, isThere: gpu.features.matrices !== null, runs: 40, names: every },
  { where: "on matrix units that are loops", device: inLoops, isThere: true, runs: 30, names: one },
  { where: "in registers", device: plain, isThere: plain.features.f16, runs: 40, names: every },
];

for (const { where, device, isThere, runs, names } of backends)
  describe.skipIf(!isThere)(`products in half precision ${where} are those of plain loops`, () => {
    const arrays = gpuArrays(device);

    test("with matrices around the edges of a tile", async () => {
      using run = halvesMatmul(arrays);
      await holds(cases(names, rows), (own) => checkProduct(own, arrays, run, toHalves), runs);
    });

    test("with several tiles of them, and long rows", async () => {
      using run = halvesMatmul(arrays, 1);
      const larger = fc.record({
        seed: upTo(1e6),
        form: fc.constantFrom("Q4_0"),
        rows: fc.constantFrom(100, 129),
        outputs: fc.constantFrom([127], [128, 1], [140]),
        columns: upTo(600, 33),
        bias: fc.boolean(),
        add: fc.boolean(),
      });
      await holds(larger, (own) => checkProduct(own, arrays, run, toHalves), Math.ceil(runs / 3));
    });
  });

test("room for halves is given back", async () => {
  const before = gpu.used;
  {
    using run = halvesMatmul(gpuArrays(inLoops));
    using x = gpuArrays(gpu).empty("x", 70, 5);
    run(x, { rows: 0, columns: 5, parts: [], [Symbol.dispose]: () => undefined }, x);
    assert.ok(gpu.used > before + x.block.byteLength);
  }
  assert.equal(gpu.used, before);
});
