/** A matrix as a device is given it: rows of values of whole 16 bytes, and scales apart. */
import type { QuantisedMatrix } from "../../../src/model/weights/quantised.ts";
import { COLUMNS, type MatrixForm, zeroOf } from "./matrix.ts";

/** A matrix, as it is to lie on the device. */
export type MatrixSource = { readonly rows: number; readonly columns: number } & (
  | {
      readonly type: "f32" | "f16";
      /** Rows [from, to) in fp32, one after the other; read once each. */
      readonly read: (from: number, to: number) => Float32Array;
    }
  | { readonly type: "quantised"; readonly matrix: QuantisedMatrix }
);

export interface Planes {
  readonly form: MatrixForm;
  readonly rows: number;
  /** Of one row of values. */
  readonly rowBytes: number;
  /** Rows [from, to) of values. */
  values(from: number, to: number): Uint8Array<ArrayBuffer>;
  /** Scales of all rows, each followed by its offset if there are any. */
  readonly scales: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer> | null;
}

/** Bytes of a row of values. */
export const rowBytes = (type: MatrixForm["type"], columns: number): number => 16 * Math.ceil(columns / COLUMNS[type]);

export const planesOf = (source: MatrixSource): Planes =>
  source.type === "quantised" ? blocks(source, source.matrix) : numbers(source);

function numbers({ rows, columns, type, read }: Extract<MatrixSource, { readonly type: "f32" | "f16" }>): Planes {
  const width = rowBytes(type, columns);
  return {
    form: { type, block: 32, offsets: false, halfScales: false },
    rows,
    rowBytes: width,
    scales: null,
    values(from, to) {
      const stored = read(from, to);
      const bytes = new Uint8Array((to - from) * width);
      const into = type === "f32" ? new Float32Array(bytes.buffer) : new Float16Array(bytes.buffer);
      const stride = into.length / (to - from);
      for (let row = 0; row < to - from; row++) {
        into.set(stored.subarray(row * columns, (row + 1) * columns), row * stride);
      }
      return bytes;
    },
  };
}

function blocks({ rows, columns }: MatrixSource, matrix: QuantisedMatrix): Planes {
  const { bits, block, offsets } = matrix;
  const type = bits === 4 ? "q4" : "q8";
  const plain = { type, block, offsets: offsets !== null, halfScales: false } as const;
  const quants = new Uint8Array((rows * columns * bits) / 8);
  matrix.quants(quants);
  const scales = new Float32Array((rows * columns) / block);
  matrix.scales(scales);
  const found = offsets === null ? scales : withOffsets(scales, offsets, 2 ** (bits - 1) - zeroOf(plain));
  const halves = asHalves(found);
  const [stored, width] = [(columns * bits) / 8, rowBytes(type, columns)];
  return {
    form: { ...plain, halfScales: halves !== null },
    rows,
    rowBytes: width,
    scales: halves ?? found,
    values(from, to) {
      const own = quants.subarray(from * stored, to * stored);
      if (stored === width) return own;
      const bytes = new Uint8Array((to - from) * width);
      for (let row = 0; row < to - from; row++) bytes.set(own.subarray(row * stored, (row + 1) * stored), row * width);
      return bytes;
    },
  };
}

/** Each scale with its offset. @param moved how far q's zero lies below the middle that the stored offsets are for */
function withOffsets(
  scales: Float32Array<ArrayBuffer>,
  read: (into: Float32Array<ArrayBuffer>) => void,
  moved: number,
): Float32Array<ArrayBuffer> {
  const offsets = new Float32Array(scales.length);
  read(offsets);
  const pairs = new Float32Array(2 * scales.length);
  for (let i = 0; i < scales.length; i++) {
    const scale = scales[i] ?? 0;
    pairs[2 * i] = scale;
    pairs[2 * i + 1] = (offsets[i] ?? 0) - moved * scale;
  }
  return pairs;
}

/** In half the bytes, if nothing is lost. */
function asHalves(values: Float32Array): Uint16Array<ArrayBuffer> | null {
  const halves = Float16Array.from(values);
  return values.every((value, i) => value === halves[i]) ? new Uint16Array(halves.buffer) : null;
}
