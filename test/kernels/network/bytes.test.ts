/** Products with quantised matrices in whole numbers on the GPU against plain loops over x as it is rounded. */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { bytesMatmul } from "../../../kernels/matmul/bytes/webgpu.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../support/arbitraries.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import { forms } from "./matrices.ts";
import { type Case, cases, checkProduct, upTo } from "./products.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
const run = bytesMatmul(arrays);
afterAll(() => gpu[Symbol.dispose]());

/** Numbers that are not halfway between two steps of their block, where a device's division decides: every sixteenth is 127 steps. */
function draw(seed: number, ...dims: readonly number[]): Tensor {
  const { data } = normals(seed, ...dims);
  const [, columns = 1] = dims;
  return tensor(
    data.map((x, i) => {
      const steps = Math.max(-126, Math.min(126, Math.trunc(40 * x))) + 0.4 * Math.sin(i);
      return ((i % columns) % 16 === 0 ? 127 : steps) * 2 ** -(4 + (Math.floor((i % columns) / 32) % 4));
    }),
    ...dims,
  );
}

/** To the nearest of 255 steps up to the block's largest. */
function toBytes(x: Tensor, form: keyof typeof forms): Tensor {
  const block = forms[form].step;
  const data = x.data.slice();
  for (let from = 0; from < data.length; from += block) {
    const own = data.subarray(from, from + block);
    const scale = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    own.forEach((value, i) => {
      own[i] = scale > 0 ? Math.round(value / scale) * scale : 0;
    });
  }
  return { ...x, data };
}

const rounded = { draw, ofX: toBytes, exactOffsets: true };
const names = ["Q8_0", "Q4_0", "Q4_1", "Q5_1", "Q2_K", "Q6_K"] as const;

describe("products in bytes are those of plain loops over rounded x", () => {
  const check = (own: Case) => checkProduct(own, arrays, run, rounded);

  test("with few rows of it", () => holds(cases(names, fc.constantFrom(1, 8, 17, 32)), check, 60));

  test("with many", () => holds(cases(names, fc.constantFrom(33, 63, 64, 65, 130)), check, 40));

  test("with long rows", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        form: fc.constantFrom(...names),
        rows: fc.constantFrom(1, 33),
        outputs: fc.tuple(upTo(6)),
        columns: upTo(4500, 200),
        bias: fc.boolean(),
        add: fc.boolean(),
      }),
      check,
      20,
    ));

  test("on devices without subgroups and without products of bytes", async () => {
    using plain = await softwareGpu({ without: ["subgroups", "packedDot"] });
    const onPlain = gpuArrays(plain);
    const before = plain.used;
    {
      using own = bytesMatmul(onPlain);
      await holds(
        cases(["Q4_0", "Q6_K"], fc.constantFrom(2, 40)),
        (one) => checkProduct(one, onPlain, own, rounded),
        20,
      );
    }
    assert.equal(plain.used, before);
  });
});
