/**
 * Products in half precision on the GPU against plain loops over rounded numbers.
 *
 * SwiftShader has no half precision. Mesa's lavapipe has it, and from 26 on matrix units too: with VK_DRIVER_FILES at its driver, all of
 * this runs. Without, what is left is that the tile in registers is the very one that is tested in single precision.
 */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { halvesMatmul } from "../../../kernels/matmul/halves/webgpu.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import { cases, checkProduct, upTo } from "./products.ts";

const gpu = await softwareGpu();
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
const rows = fc.constantFrom(1, 33, 63, 64, 65, 130);
const names = ["F32", "F16", "Q8_0", "Q4_1", "Q6_K"] as const;

for (const [where, device, isThere] of [
  ["on matrix units", gpu, gpu.features.matrices !== null],
  ["in registers", plain, plain.features.f16],
] as const)
  describe.skipIf(!isThere)(`products in half precision ${where} are those of plain loops`, () => {
    const arrays = gpuArrays(device);

    test("with matrices of every form", async () => {
      using run = halvesMatmul(arrays);
      await holds(cases(names, rows), (own) => checkProduct(own, arrays, run, toHalves), 40);
    });

    test("with several tiles of them, and long rows", async () => {
      using run = halvesMatmul(arrays, 1);
      const larger = fc.record({
        seed: upTo(1e6),
        form: fc.constantFrom("Q4_0"),
        rows: fc.constantFrom(100, 129, 257),
        outputs: fc.constantFrom([127], [128, 1], [300]),
        columns: upTo(1200),
        bias: fc.boolean(),
        add: fc.boolean(),
      });
      await holds(larger, (own) => checkProduct(own, arrays, run, toHalves), 12);
    });

    test("and give back what they hold", async () => {
      const before = device.used;
      {
        using run = halvesMatmul(arrays);
        await checkProduct(
          { seed: 1, form: "F16", rows: 70, outputs: [70], columns: 70, bias: true, add: true },
          arrays,
          run,
          toHalves,
        );
      }
      assert.equal(device.used, before);
    });
  });
