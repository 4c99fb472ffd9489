/** Products with the network's matrices on the GPU against plain loops, at sizes around the edges of tiles. */
import { afterAll, describe, test } from "bun:test";
import fc from "fast-check";
import { type GpuArrays, gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { uploadMatrix } from "../../../kernels/gpu/matrix/upload.ts";
import type { Matmul } from "../../../kernels/matmul/index.ts";
import { matmul as reference } from "../../../kernels/matmul/reference.ts";
import { matmul } from "../../../kernels/matmul/webgpu.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../support/arbitraries.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import { assertClose } from "./close.ts";
import { forms } from "./matrices.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
const product = matmul(arrays);
afterAll(() => gpu[Symbol.dispose]());

const upTo = (most: number, least = 0) => fc.integer({ min: least, max: most });

interface Case {
  readonly seed: number;
  readonly form: keyof typeof forms;
  readonly rows: number;
  /** Of matrices one below the other. */
  readonly outputs: readonly number[];
  /** About: quantised ones have whole blocks. */
  readonly columns: number;
  readonly bias: boolean;
  readonly add: boolean;
}

const cases = (names: readonly (keyof typeof forms)[], rows: fc.Arbitrary<number>): fc.Arbitrary<Case> =>
  fc.record({
    seed: upTo(1e6),
    form: fc.constantFrom(...names),
    rows,
    outputs: fc.array(upTo(90), { minLength: 1, maxLength: 2 }),
    columns: upTo(160),
    bias: fc.boolean(),
    add: fc.boolean(),
  });

async function check(own: Case, on: GpuArrays = arrays, run: Matmul = product, most?: number): Promise<void> {
  const { seed, form, rows, outputs, bias, add } = own;
  const { step, make } = forms[form];
  const columns = step * Math.floor(own.columns / step);
  const matrices = outputs.map((count, i) => make(seed + i, count, columns));
  const height = outputs.reduce((sum, count) => sum + count, 0);
  const all = Float32Array.from(matrices.flatMap(({ values }) => [...values.data]));
  const x = normals(seed + 2, rows, columns);
  // Another row's infinity must stay its own: the last one is not looked at then.
  const seen = rows - (rows > 1 ? seed % 2 : 0);
  x.data.fill(Number.POSITIVE_INFINITY, seen * columns);
  const [ofBias, before] = [normals(seed + 3, height), normals(seed + 4, rows, height)];
  using weights = uploadMatrix(
    on.gpu,
    "weights",
    matrices.map(({ source }) => source),
    most,
  );
  using input = on.of(x, "x");
  using addend = on.of(ofBias, "bias");
  const out = on.of(before, "out");
  run(input, weights, out, { bias: bias ? addend : null, add });
  const found = await on.result(out);
  const expected = reference(x, { data: all, dims: [height, columns] }, bias ? ofBias : null, add ? before : null);
  const head = ({ data, dims }: Tensor) => tensor(data.subarray(0, seen * height), ...dims);
  assertClose(head(found), head(expected), 1e-4 * Math.sqrt(columns + 1));
}

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
    holds(
      fc.tuple(cases(["F32", "Q4_0", "Q4_1"], oneOrMany), upTo(5000)),
      ([own, most]) => check(own, arrays, product, most),
      40,
    ));

  test("on devices without subgroups", async () => {
    using plain = await softwareGpu({ without: ["subgroups"] });
    const onPlain = gpuArrays(plain);
    const run = matmul(onPlain);
    await holds(cases(["F32", "Q4_1"], fc.constantFrom(1, 2, 4, 8, 20)), (own) => check(own, onPlain, run), 30);
  });
});
