/** Random products with the network's matrices, beside those of plain loops. */
import fc from "fast-check";
import type { GpuArrays } from "../../../kernels/gpu/arrays.ts";
import { uploadMatrix } from "../../../kernels/gpu/matrix/upload.ts";
import type { Matmul } from "../../../kernels/matmul/index.ts";
import { matmul as reference } from "../../../kernels/matmul/reference.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../support/arbitraries.ts";
import { assertClose } from "./close.ts";
import { forms } from "./matrices.ts";

export const upTo = (most: number, least = 0) => fc.integer({ min: least, max: most });

export interface Case {
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

export const cases = (names: readonly (keyof typeof forms)[], rows: fc.Arbitrary<number>): fc.Arbitrary<Case> =>
  fc.record({
    seed: upTo(1e6),
    form: fc.constantFrom(...names),
    rows,
    outputs: fc.array(upTo(90), { minLength: 1, maxLength: 2 }),
    columns: upTo(160),
    bias: fc.boolean(),
    add: fc.boolean(),
  });

export interface Roundings {
  /** Makes x [rows, columns]. Default: normal numbers. */
  readonly draw?: typeof normals;
  /** Of buffers. */
  readonly most?: number | undefined;
  /** What becomes of x, and of the values of a matrix of this form. */
  readonly ofX?: (x: Tensor, form: keyof typeof forms) => Tensor;
  readonly ofWeights?: (value: number) => number;
  /** Whether offsets of blocks meet x as it is. Default: as it became. */
  readonly exactOffsets?: boolean;
}

export async function checkProduct(
  own: Case,
  on: GpuArrays,
  run: Matmul,
  { draw = normals, most, ofX = (x) => x, ofWeights = (value) => value, exactOffsets = false }: Roundings = {},
): Promise<void> {
  const { seed, form, rows, outputs, bias, add } = own;
  const { step, make } = forms[form];
  const columns = step * Math.floor(own.columns / step);
  const matrices = outputs.map((count, i) => make(seed + i, count, columns));
  const height = outputs.reduce((sum, count) => sum + count, 0);
  const all = Float32Array.from(
    matrices.flatMap(({ values }) => [...values.data]),
    ofWeights,
  );
  const offsets = Float32Array.from(matrices.flatMap((matrix) => [...matrix.offsets.data]));
  const x = draw(seed + 2, rows, columns);
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
  const became = ofX(x, form);
  const lost = { ...x, data: x.data.map((value, i) => (exactOffsets ? value - (became.data[i] ?? 0) : 0)) };
  const dims = [height, columns];
  const rest = reference(lost, { data: offsets, dims }, bias ? ofBias : null, add ? before : null);
  const expected = reference(became, { data: all, dims }, null, rest);
  const head = ({ data, dims }: Tensor) => tensor(data.subarray(0, seen * height), ...dims);
  assertClose(head(found), head(expected), 1e-4 * Math.sqrt(columns + 1));
}
