/** Products with the network's matrices on the GPU against plain loops, at sizes around the edges of tiles. */
import { afterAll, describe, test } from "bun:test";
import fc from "fast-check";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { matmul } from "../../../kernels/matmul/webgpu.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import { type Case, cases, checkProduct, upTo } from "./products.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
const product = matmul(arrays);
afterAll(() => gpu[Symbol.dispose]());

const check = (own: Case, most?: number) => checkProduct(own, arrays, product, { most });

describe("products on the GPU are those of plain loops", () => {
  const rows = upTo(70);
  /** On either side of what is taken as a tile. */
  const oneOrMany = fc.constantFrom(1, 33);

  test("with matrices in fp32 and fp16", () => holds(cases(["F32", "F16"], rows), (own) => check(own), 60));

  test("with matrices of 4 bits", () => holds(cases(["Q4_0", "Q4_1"], rows), (own) => check(own), 60));

  test("with matrices of 8 bits, and of other blocks and scales", () =>
    holds(cases(["Q8_0", "Q5_1", "Q2_K", "Q6_K"], oneOrMany), (own) => check(own), 40));

  test("with rows of more columns than invocations read at once", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        form: fc.constantFrom("F32", "F16", "Q8_0", "Q4_0", "Q4_1"),
        rows: fc.constantFrom(1, 2, 8, 33),
        outputs: fc.tuple(upTo(6)),
        columns: upTo(4500, 200),
        bias: fc.boolean(),
        add: fc.boolean(),
      }),
      (own) => check(own),
      30,
    ));

  test("with more rows of the matrix than a dimension has workgroups for", () =>
    check({ seed: 1, form: "F32", rows: 1, outputs: [131_080], columns: 3, bias: true, add: false }));

  test("with matrices in several buffers", () =>
    holds(fc.tuple(cases(["F32", "Q4_0", "Q4_1"], oneOrMany), upTo(5000)), ([own, most]) => check(own, most), 40));

  test("on devices without subgroups", async () => {
    using plain = await softwareGpu({ without: ["subgroups"] });
    const onPlain = gpuArrays(plain);
    const run = matmul(onPlain);
    await holds(cases(["F32", "Q4_1"], fc.constantFrom(1, 2, 4, 8, 20)), (own) => checkProduct(own, onPlain, run), 30);
  });
});
