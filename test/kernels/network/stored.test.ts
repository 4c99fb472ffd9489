/** Matrices as files store them, on the GPU: what each number stands for, and what becomes of the memory. */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import type { MatrixSource } from "../../../kernels/gpu/matrix/planes.ts";
import { beginUpload, uploadMatrix } from "../../../kernels/gpu/matrix/upload.ts";
import { networkKernels } from "../../../kernels/network.ts";
import { blocks, dequantise, storedBytes } from "../../../src/model/weights/dequantise.ts";
import { blockParts, type QuantisedMatrix } from "../../../src/model/weights/quantised.ts";
import type { WeightType } from "../../../src/model/weights/weights.ts";
import { normals } from "../../support/arbitraries.ts";
import { quantise } from "../../support/quantise.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import { assertClose } from "./close.ts";
import { forms } from "./matrices.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
const kernels = networkKernels(gpu);
afterAll(() => gpu[Symbol.dispose]());

const [ROWS, COLUMNS] = [5, 512];

function stored(type: WeightType): { readonly source: MatrixSource; readonly values: Float32Array<ArrayBuffer> } {
  const bytes = new Uint8Array(quantise(type, normals(3, ROWS, COLUMNS).data));
  assert.equal(bytes.length, storedBytes(type, ROWS * COLUMNS));
  const parts = blockParts(type);
  if (parts === undefined) throw new Error(`${type} has no blocks`);
  const { bits, block, quants, scales, offsets } = parts;
  const matrix = {
    bits,
    block,
    quants: (into: Uint8Array) => quants(bytes, into), // of all rows, which are few enough to be asked for at once
    scales: (into: Float32Array) => scales(bytes, into),
    offsets: offsets && ((into: Float32Array) => offsets(bytes, into)),
  };
  const values = new Float32Array(ROWS * COLUMNS);
  dequantise(type, bytes, values);
  return { source: { rows: ROWS, columns: COLUMNS, type: "quantised", matrix }, values };
}

const quantised = Object.keys(blocks).filter((type): type is WeightType => type.startsWith("Q"));

describe("a matrix on the GPU", () => {
  for (const type of quantised) {
    test(`of type ${type} has the numbers that its blocks stand for`, async () => {
      const { source, values } = stored(type);
      using table = uploadMatrix(gpu, "table", [source]);
      using tokens = arrays.numbers(
        Uint32Array.from({ length: ROWS }, (_, row) => row),
        "tokens",
      );
      const out = arrays.empty("embedded", ROWS, COLUMNS);
      kernels.embed(tokens, table, 1, out);
      assertClose(await arrays.result(out), { data: values, dims: [ROWS, COLUMNS] }, 2e-6);
    });
  }

  test("takes the bytes of its blocks, and gives them back", () => {
    const before = gpu.used;
    const table = uploadMatrix(gpu, "table", [stored("Q4_1").source, stored("Q4_0").source, stored("Q4_0").source]);
    assert.equal(table.parts.length, 2); // those stored alike are together
    const bytes = 3 * storedBytes("Q4_0", ROWS * COLUMNS) + 2 * ((ROWS * COLUMNS) / 32); // Q4_1's minima are halves
    assert.ok(gpu.used - before <= bytes + 16 * 4); // of whole 16 bytes
    table[Symbol.dispose]();
    assert.equal(gpu.used, before);
  });

  test("of rows that are not of one length, or not whole blocks, is refused", () => {
    const [narrow, wide] = [forms.F32.make(1, 2, 8).source, forms.F32.make(1, 2, 9).source];
    assert.throws(() => uploadMatrix(gpu, "table", [narrow, wide]), {
      code: "wrong_shape",
      path: ["table", "columns"],
      found: 9,
    });
    const half = { ...forms.Q8_0.make(1, 2, 32).source, columns: 48 };
    assert.throws(() => uploadMatrix(gpu, "table", [half]), { code: "wrong_shape", found: 48 });
  });
});

describe("a matrix that is larger than a piece", () => {
  /** Of three blocks a row, so that scales of as many rows as a piece has end within a word. */
  const [rows, columns] = [400_000, 48];
  const block = 16;
  const q = (i: number) => (i * 7) % 251;
  const scale = (i: number) => (1 + (i % 13)) / 16;
  const matrix: QuantisedMatrix = {
    bits: 8,
    block,
    quants(into, first = 0) {
      for (let i = 0; i < into.length; i++) into[i] = q(first * columns + i);
    },
    scales(into, first = 0) {
      for (let i = 0; i < into.length; i++) into[i] = scale((first * columns) / block + i);
    },
    offsets: null,
  };
  const source: MatrixSource = { rows, columns, type: "quantised", matrix };

  test("comes piece by piece, of which the host never holds two, and is whole", async () => {
    const { matrix: table, pieces } = beginUpload(gpu, "table", [source, source]);
    using _ = table;
    const seen = [...pieces];
    assert.ok(seen.every((piece) => piece.rows * columns <= 16 * 2 ** 20));
    assert.deepEqual(
      [0, 1].map((one) => seen.filter((piece) => piece.source === one).reduce((sum, piece) => sum + piece.rows, 0)),
      [rows, rows],
    );
    const edge = seen[0]?.rows ?? 0;
    assert.equal((edge * (columns / block) * 2) % 4, 2);
    const wanted = [0, 1, edge - 1, edge, edge + 1, rows - 1, rows, rows + edge - 1, rows + edge, 2 * rows - 1];
    using tokens = arrays.numbers(Uint32Array.from(wanted), "tokens");
    const out = arrays.empty("embedded", wanted.length, columns);
    kernels.embed(tokens, table, 1, out);
    const expected = Float32Array.from({ length: wanted.length * columns }, (_, i) => {
      const at = ((wanted[Math.floor(i / columns)] ?? 0) % rows) * columns + (i % columns);
      return (q(at) - 128) * scale(Math.floor(at / block));
    });
    assertClose(await arrays.result(out), { data: expected, dims: [wanted.length, columns] }, 2e-6);
  });
});
