/**
 * Products with the network's matrices, at the engine's precision.
 *
 * "fast" multiplies whole numbers: MatMulNBits on the quants that a GGUF file holds, and activations that it rounds to 8 bits as
 * it goes, with a scale for every 32 of them (16 for Q2_K, Q3_K and Q6_K; some CPUs: for a row). The weights stay those of fp32: Q4_1's w = q d + m is
 * (q - 8) d, and m + 8 d times the sum of a block's activations, which is taken in fp32. What is not quantised is a product in fp32.
 *
 * Measured on SmolLM2-135M, 2 cores shared with other work, fastest of interleaved runs, 2026-11-22: a step takes 12 ms where fp32 takes
 * 36 to 43, and 512 tokens cost 1.4 s of CPU time rather than 1.3. With activations in fp32 (accuracy level 1) the logits are fp32's, but a step takes
 * 173 ms. Sums of blocks by ReduceSum take 0.3 us at one row and 20 to 360 us at 512; by a product with an indicator matrix
 * 0.4 to 3 and 220 to 2100, by AveragePool 1 to 2 and 1900 to 3800.
 */
import type { ModelConfig } from "../../model/config.ts";
import type { QuantisedMatrix } from "../../model/weights/quantised.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import type { Precision } from "../index.ts";

/** x W^T for matrices [out, in] that read the same x [S, in], side by side: [S, sum of out], from one product where it can be. */
export type Product = (x: Value, names: readonly string[]) => Value;

/** MatMulNBits' name for activations of 8 bits. */
const INT8 = 4;

/** Bytes of one weight in fp32. onnxruntime takes no more than 2 GiB from memory; the heads of large vocabularies have more. */
const MOST_BYTES = 2 ** 30;

/** Whether a product with any of the matrices would be fast; an embedding table that is not the head too is only looked up. */
export const canBeFast = ({ tiedEmbeddings }: ModelConfig, weights: Weights): boolean =>
  weights.tensors.some(
    ({ name }) => (tiedEmbeddings || name !== "model.embed_tokens.weight") && weights.quantised(name) !== null,
  );

/** @param most bytes of one weight in fp32; a larger matrix becomes several */
export const products = (g: Graph, weights: Weights, precision: Precision, most = MOST_BYTES): Product => {
  const sums = blockSums(g);
  return (x, names) => {
    const matrices = names.flatMap((name) => matricesOf(weights, name, precision, most));
    const runs = neighbours(matrices, most);
    const [only = x, ...more] = runs.map((run) => joint(g, x, run, sums));
    return more.length === 0 ? only : g.op("Concat", [only, ...more], { axis: 1 });
  };
};

/** The sums of blocks of a product's input, [S, blocks], made once for all products that read it. */
type BlockSums = (x: Value, blocks: number, size: number) => Value;

function blockSums(g: Graph): BlockSums {
  const known = new Map<string, Value>();
  return (x, blocks, size) => {
    const key = `${size} of ${x}`;
    const sums =
      known.get(key) ?? g.op("ReduceSum", [g.op("Reshape", [x, g.ints(0, blocks, size)]), g.ints(2)], { keepdims: 0 });
    known.set(key, sums);
    return sums;
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

/** Neighbours of one kind: one product takes them together. */
type Run = readonly [Matrix, ...Matrix[]];

/** The matrix, or parts of its rows where it is too large. */
function matricesOf(weights: Weights, name: string, precision: Precision, most: number): readonly Matrix[] {
  const [rows = 0, width = 0] = weights.info(name).shape;
  const quantised = precision === "fast" ? weights.quantised(name) : null;
  const whole = { name, rows, width, quantised, read: (into: Float32Array<ArrayBuffer>) => weights.read(name, into) };
  if (quantised !== null || bytesOf(whole) <= most) return [whole];
  const step = Math.max(1, Math.floor(most / (FLOAT_BYTES * width)));
  const parts = Array.from({ length: Math.ceil(rows / step) }, (_, i) => {
    const from = i * step;
    return { name: `${name}.${i}`, of: name, from, rows: Math.min(step, rows - from) };
  });
  const apart = weights.split(parts);
  return parts.map((part) => ({
    name: part.name,
    rows: part.rows,
    width,
    quantised,
    read: (into) => apart.read(part.name, into),
  }));
}

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
const bytesOf = ({ rows, width }: Matrix): number => rows * width * FLOAT_BYTES;

function neighbours(matrices: readonly Matrix[], most: number): readonly Run[] {
  const runs: [Matrix, ...Matrix[]][] = [];
  for (const matrix of matrices) {
    const run = runs.at(-1);
    const fits = [...(run ?? []), matrix].reduce((sum, one) => sum + bytesOf(one), 0) <= most;
    if (run !== undefined && fits && kindOf(run[0]) === kindOf(matrix)) run.push(matrix);
    else runs.push([matrix]);
  }
  return runs;
}

const kindOf = ({ quantised }: Matrix) =>
  quantised && `${quantised.bits} bits, blocks of ${quantised.block}, ${quantised.offsets ? "offsets" : "none"}`;

function joint(g: Graph, x: Value, run: Run, sums: BlockSums): Value {
  const [{ width, quantised }] = run;
  const name = run.map((matrix) => matrix.name).join("+");
  const rows = rowsOf(run);
  if (quantised === null) {
    const read = stacked(run, (matrix, into: Float32Array<ArrayBuffer>) => matrix.read(into));
    return g.op("Gemm", [x, g.weight(name, [rows, width], read)], { transB: 1 });
  }
  const { bits, block, offsets } = quantised;
  const blocks = width / block;
  const readQuants = stacked(run, (matrix, into: Uint8Array<ArrayBuffer>) => matrix.quantised?.quants(into));
  const readScales = stacked(run, (matrix, into: Float32Array<ArrayBuffer>) => matrix.quantised?.scales(into));
  const product = g.msOp(
    "MatMulNBits",
    [
      x,
      g.byteWeight(`${name}.quants`, [rows, blocks, (block * bits) / 8], readQuants),
      g.weight(`${name}.scales`, [rows, blocks], readScales),
    ],
    { K: width, N: rows, bits, block_size: block, accuracy_level: INT8 },
  );
  if (offsets === null) return product;
  const readOffsets = stacked(run, (matrix, into: Float32Array<ArrayBuffer>) => matrix.quantised?.offsets?.(into));
  return g.op("Gemm", [sums(x, blocks, block), g.weight(`${name}.offsets`, [rows, blocks], readOffsets), product], {
    transB: 1,
  });
}

const rowsOf = (run: Run): number => run.reduce((sum, { rows }) => sum + rows, 0);

/** Fills an array [rows of all, ...] with each matrix's own rows in turn. */
const stacked =
  <A extends { readonly length: number; subarray(from: number, to: number): A }>(
    run: Run,
    read: (matrix: Matrix, into: A) => void,
  ) =>
  (into: A): void => {
    const perRow = into.length / rowsOf(run);
    let from = 0;
    for (const matrix of run) {
      const to = from + matrix.rows * perRow;
      read(matrix, into.subarray(from, to));
      from = to;
    }
  };
