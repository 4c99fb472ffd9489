/** Matrices of random numbers on the device, for products that are measured alone. */
import type { GpuMatrix } from "../../kernels/gpu/matrix/matrix.ts";
import { uploadMatrix } from "../../kernels/gpu/matrix/upload.ts";
import type { Block, Gpu } from "../../src/gpu/index.ts";
import { randomMatrix } from "./random-matrix.ts";
import type { StoredAs } from "./random-weights.ts";
import type { Product } from "./work.ts";

const SEED = 11;

export function matrixOf(gpu: Gpu, { outputs: rows, inputs: columns }: Product, type: StoredAs): GpuMatrix {
  const { quantised, readRows } = randomMatrix(rows, columns, SEED);
  if (type === "Q4_0") return uploadMatrix(gpu, "measured", [{ type: "quantised", rows, columns, matrix: quantised }]);
  const read = (from: number, to: number) => readRows(Array.from({ length: to - from }, (_, i) => from + i));
  return uploadMatrix(gpu, "measured", [{ type: type === "F16" ? "f16" : "f32", rows, columns, read }]);
}

/** The same matrix so many times, each in memory of its own. */
export function copiesOf(gpu: Gpu, product: Product, type: StoredAs, count: number): readonly GpuMatrix[] {
  const first = matrixOf(gpu, product, type);
  return [first, ...Array.from({ length: count - 1 }, () => copyOf(gpu, first))];
}

function copyOf(gpu: Gpu, { rows, columns, parts }: GpuMatrix): GpuMatrix {
  const copied = (block: Block): Block => {
    const own = gpu.allocate(block.byteLength, "copy");
    gpu.copy(block, 0, own, 0, block.byteLength);
    return own;
  };
  const own = parts.map((part) => ({
    ...part,
    values: copied(part.values),
    scales: part.scales === null ? null : copied(part.scales),
  }));
  return {
    rows,
    columns,
    parts: own,
    [Symbol.dispose]() {
      for (const { values, scales } of own) for (const block of [values, scales]) block?.[Symbol.dispose]();
    },
  };
}

export const bytesOf = ({ parts }: GpuMatrix): number =>
  parts.reduce((sum, { values, scales }) => sum + values.byteLength + (scales?.byteLength ?? 0), 0);
