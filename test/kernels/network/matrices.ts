/** Random matrices of every form that a device holds, and what they stand for. */
import type { MatrixSource } from "../../../kernels/gpu/matrix/planes.ts";
import type { Tensor } from "../../../kernels/tensor.ts";
import type { QuantisedMatrix } from "../../../src/model/weights/quantised.ts";
import { normals } from "../../support/arbitraries.ts";
import { uniform } from "../../support/random.ts";

/** A matrix to upload, and its values in fp32. */
export interface Matrix {
  readonly source: MatrixSource;
  readonly values: Tensor;
  /** The part of each value that is its block's offset. */
  readonly offsets: Tensor;
}

export interface Form {
  /** Of which the columns are a multiple. */
  readonly step: number;
  readonly make: (seed: number, rows: number, columns: number) => Matrix;
}

const plain = (type: "f32" | "f16"): Form => ({
  step: 1,
  make(seed, rows, columns) {
    const drawn = normals(seed, rows, columns);
    const values = type === "f32" ? drawn : { ...drawn, data: drawn.data.map(Math.f16round) };
    const read = (from: number, to: number) => values.data.subarray(from * columns, to * columns);
    return { source: { rows, columns, type, read }, values, offsets: { ...values, data: values.data.map(() => 0) } };
  },
});

interface Quantised extends Pick<QuantisedMatrix, "bits" | "block"> {
  readonly offsets: boolean;
  /** Rounds scales and minima to what they are stored in. */
  readonly stored: (value: number) => number;
}

const quantised = ({ bits, block, offsets, stored }: Quantised): Form => ({
  step: block,
  make(seed, rows, columns) {
    const next = uniform(seed);
    const middle = 2 ** (bits - 1);
    const q = Uint8Array.from({ length: rows * columns }, () => Math.floor(next() * 2 * middle));
    const count = (rows * columns) / block;
    const scales = Float32Array.from({ length: count }, () => stored((next() - 0.2) / middle));
    const minima = Float32Array.from({ length: count }, () => stored(next() - 1.5));
    const offset = (i: number) => Math.fround((minima[i] ?? 0) + (bits === 4 ? 8 * (scales[i] ?? 0) : 0));
    const matrix: QuantisedMatrix = {
      bits,
      block,
      quants: rowsOf(bits === 8 ? q : Uint8Array.from({ length: q.length / 2 }, (_, i) => pair(q, i)), rows),
      scales: rowsOf(scales, rows),
      offsets: offsets
        ? rowsOf(
            scales.map((_, i) => offset(i)),
            rows,
          )
        : null,
    };
    const data = Float32Array.from(q, (one, i) => {
      const own = Math.floor(i / block);
      return (one - middle) * (scales[own] ?? 0) + (offsets ? offset(own) : 0);
    });
    const dims = [rows, columns];
    const ofBlocks = data.map((_, i) => (offsets ? offset(Math.floor(i / block)) : 0));
    return {
      source: { rows, columns, type: "quantised", matrix },
      values: { data, dims },
      offsets: { data: ofBlocks, dims },
    };
  },
});

const pair = (q: Uint8Array, i: number) => (q[2 * i] ?? 0) | ((q[2 * i + 1] ?? 0) << 4);

/** Reads rows of what is there as a whole, as files are read. */
const rowsOf =
  <A extends Uint8Array | Float32Array>(all: A, rows: number) =>
  (into: A, first = 0) => {
    const width = all.length / Math.max(1, rows);
    into.set(all.subarray(first * width, first * width + into.length));
  };

const half = Math.f16round;

/** GGUF's names where they are stored so. */
export const forms = {
  F32: plain("f32"),
  F16: plain("f16"),
  Q8_0: quantised({ bits: 8, block: 32, offsets: false, stored: half }),
  Q4_0: quantised({ bits: 4, block: 32, offsets: false, stored: half }),
  Q4_1: quantised({ bits: 4, block: 32, offsets: true, stored: half }),
  Q5_1: quantised({ bits: 8, block: 32, offsets: true, stored: half }),
  Q2_K: quantised({ bits: 4, block: 16, offsets: true, stored: Math.fround }),
  Q6_K: quantised({ bits: 8, block: 16, offsets: false, stored: Math.fround }),
} as const;
