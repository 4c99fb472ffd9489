/**
 * Products with the network's matrices, at the engine's precision.
 *
 * "fast" multiplies whole numbers: MatMulNBits on the quants that a GGUF file holds, and activations that it rounds to 8 bits
 * as it goes. The weights stay exactly those of fp32: Q4_1, w = q d + m, is d (q - 8) and, from the sums of the activations over
 * each block, m + 8 d. Those sums are fp32, so m meets no rounded activation. A matrix that is not quantised stays fp32.
 */
import type { QuantisedMatrix } from "../../model/weights/quantised.ts";
import { BLOCK } from "../../model/weights/quantised.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import type { Precision } from "../index.ts";

/** x W^T for matrices [out, in] that read the same input [S, in], side by side: [S, sum of out]. */
export type Product = (x: Value, names: readonly string[]) => Value;

/** int8 activations */
const ACCURACY_LEVEL = Number(process.env.ACC ?? 4);
const VARIANT = process.env.SUMS ?? "gemm";

export function products(g: Graph, weights: Weights, precision: Precision): Product {
  const indicators = new Map<number, Value>();
  return (x, names) => {
    const matrices = names.map((name) => matrix(weights, name, precision));
    const width = matrices[0]?.width ?? 0;
    let sums: Value | undefined;
    const blockSums = () => {
      sums ??= sumsOfBlocks(g, x, width, indicators);
      return sums;
    };
    const parts = runs(matrices).map((run) => joined(g, x, blockSums, run));
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : g.op("Concat", parts, { axis: 1 });
  };
}

interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly read: (into: Float32Array<ArrayBuffer>) => void;
  /** null for a product in fp32. */
  readonly quantised: QuantisedMatrix | null;
}

function matrix(weights: Weights, name: string, precision: Precision): Matrix {
  const [rows = 0, width = 0] = weights.info(name).shape;
  const quantised = precision === "fast" ? weights.quantised(name) : null;
  return { name, rows, width, quantised, read: (into) => weights.read(name, into) };
}

/** Neighbours that one product can take together. */
function runs(matrices: readonly Matrix[]): readonly (readonly Matrix[])[] {
  const found: Matrix[][] = [];
  for (const next of matrices) {
    const last = found.at(-1);
    if (last?.[0] !== undefined && kind(last[0]) === kind(next)) last.push(next);
    else found.push([next]);
  }
  return found;
}

const kind = ({ quantised }: Matrix): string =>
  quantised === null ? "fp32" : `${quantised.bits} bits, ${quantised.offsets === null ? "no offsets" : "offsets"}`;

function joined(g: Graph, x: Value, blockSums: () => Value, run: readonly Matrix[]): Value {
  const [{ width, quantised } = { width: 0, quantised: null }] = run;
  const name = run.map((matrix) => matrix.name).join("+");
  const height = run.reduce((sum, { rows }) => sum + rows, 0);
  if (quantised === null) {
    const whole = g.weight(name, [height, width], (into) => fill(into, run, (matrix, part) => matrix.read(part)));
    return g.op("Gemm", [x, whole], { transB: 1 });
  }
  const { bits } = quantised;
  const perRow = width / BLOCK;
  const quants = g.byteWeight(`${name}.quants`, [height, perRow, (BLOCK * bits) / 8], (into) =>
    fill(into, run, ({ quantised }, part) => quantised?.quants(part)),
  );
  const scales = g.weight(`${name}.scales`, [height * perRow], (into) =>
    fill(into, run, ({ quantised }, part) => quantised?.scales(part)),
  );
  const product = g.msOp("MatMulNBits", [x, quants, scales], {
    K: width,
    N: height,
    bits,
    block_size: BLOCK,
    accuracy_level: ACCURACY_LEVEL,
  });
  if (quantised.offsets === null) return product;
  const offsets = g.weight(`${name}.offsets`, [height, perRow], (into) =>
    fill(into, run, ({ quantised }, part) => quantised?.offsets?.(part)),
  );
  return g.op("Gemm", [blockSums(), offsets, product], { transB: 1 });
}

/** [S, width] -> [S, width / 32] */
function sumsOfBlocks(g: Graph, x: Value, width: number, known: Map<number, Value>): Value {
  if (VARIANT.startsWith("gemm")) {
    const name = `blocks.${width}`;
    const w = known.get(width) ?? g.weight(name, [width / BLOCK, width], (into) => {
      into.fill(0);
      for (let i = 0; i < width; i++) into[Math.floor(i / BLOCK) * width + i] = 1;
    });
    known.set(width, w);
    return g.op("Gemm", [x, w], { transB: 1 });
  }
  return g.op("ReduceSum", [g.op("Reshape", [x, g.ints(0, width / BLOCK, BLOCK)]), g.ints(2)], { keepdims: 0 });
}

/** Parts of an array [rows of all, ...], each of a matrix's own rows. */
function fill<A extends { readonly length: number; subarray(from: number, to: number): A }>(
  into: A,
  run: readonly Matrix[],
  read: (matrix: Matrix, part: A) => void,
): void {
  const perRow = into.length / run.reduce((sum, { rows }) => sum + rows, 0);
  let from = 0;
  for (const matrix of run) {
    const to = from + matrix.rows * perRow;
    read(matrix, into.subarray(from, to));
    from = to;
  }
}
