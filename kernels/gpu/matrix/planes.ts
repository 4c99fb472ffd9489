/** A matrix as a device is given it, some rows at a time: rows of values of whole 16 bytes, and scales apart. */
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
  /** Of one row of scales and offsets: 0 where there are none. */
  readonly scaleBytes: number;
  /** Rows [from, to) of values. */
  values(from: number, to: number): Uint8Array<ArrayBuffer>;
  /** Scales of rows [from, to), each followed by its offset if there are any. */
  scales(from: number, to: number): Uint8Array<ArrayBuffer>;
}

/** Bytes of values that are made ready at a time: enough to keep a bus busy, and little beside what a host has. */
const PIECE = 16 * 2 ** 20;

/** Rows of a matrix that are made ready at a time. */
export const rowsOfPiece = (rowBytes: number): number => Math.max(1, Math.floor(PIECE / Math.max(1, rowBytes)));

/** Bytes that a matrix takes on a device at least: scales may be in fp32, which only they tell. */
export function leastBytes(source: MatrixSource): number {
  const { rows, columns } = source;
  if (source.type !== "quantised") return rows * bytesOfRow(source.type, columns);
  const { block, offsets } = source.matrix;
  const scales = (columns / block) * (offsets === null ? 1 : 2);
  return rows * (bytesOfRow(typeOf(source.matrix), columns) + scales * Uint16Array.BYTES_PER_ELEMENT);
}

export const planesOf = (source: MatrixSource): Planes =>
  source.type === "quantised" ? blocks(source, source.matrix) : numbers(source);

const bytesOfRow = (type: MatrixForm["type"], columns: number): number => 16 * Math.ceil(columns / COLUMNS[type]);

const typeOf = ({ bits }: QuantisedMatrix) => (bits === 4 ? "q4" : "q8");

function numbers({ rows, columns, type, read }: Extract<MatrixSource, { readonly type: "f32" | "f16" }>): Planes {
  const width = bytesOfRow(type, columns);
  return {
    form: { type, block: 32, offsets: false, halfScales: false },
    rows,
    rowBytes: width,
    scaleBytes: 0,
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
    scales: () => new Uint8Array(0),
  };
}

function blocks({ rows, columns }: MatrixSource, matrix: QuantisedMatrix): Planes {
  const { bits, block, offsets } = matrix;
  const type = typeOf(matrix);
  const [stored, width] = [(columns * bits) / 8, bytesOfRow(type, columns)];
  const found = scalesOf(matrix, columns);
  const halfScales = areHalves(rows, rowsOfPiece(width), found);
  return {
    form: { type, block, offsets: offsets !== null, halfScales },
    rows,
    rowBytes: width,
    scaleBytes: (columns / block) * (offsets === null ? 1 : 2) * (halfScales ? 2 : 4),
    values(from, to) {
      const own = new Uint8Array((to - from) * stored);
      matrix.quants(own, from);
      if (stored === width) return own;
      const bytes = new Uint8Array((to - from) * width);
      for (let row = 0; row < to - from; row++) bytes.set(own.subarray(row * stored, (row + 1) * stored), row * width);
      return bytes;
    },
    scales(from, to) {
      const scales = found(from, to);
      return new Uint8Array((halfScales ? Float16Array.from(scales) : scales).buffer);
    },
  };
}

/** Scales of rows [from, to), each with its offset. */
type Scales = (from: number, to: number) => Float32Array<ArrayBuffer>;

function scalesOf(matrix: QuantisedMatrix, columns: number): Scales {
  const { bits, block, offsets } = matrix;
  // How far q's zero lies below the middle that the stored offsets are for.
  const moved = 2 ** (bits - 1) - zeroOf({ type: typeOf(matrix), offsets: offsets !== null });
  return (from, to) => {
    const scales = new Float32Array(((to - from) * columns) / block);
    matrix.scales(scales, from);
    if (offsets === null) return scales;
    const minima = new Float32Array(scales.length);
    offsets(minima, from);
    const pairs = new Float32Array(2 * scales.length);
    for (let i = 0; i < scales.length; i++) {
      const scale = scales[i] ?? 0;
      pairs[2 * i] = scale;
      pairs[2 * i + 1] = (minima[i] ?? 0) - moved * scale;
    }
    return pairs;
  };
}

/** Whether nothing is lost of scales in half the bytes. They are read for this alone, so that all of them are never held. */
function areHalves(rows: number, step: number, scales: Scales): boolean {
  for (let from = 0; from < rows; from += step) {
    const some = scales(from, Math.min(from + step, rows));
    if (!some.every((value) => value === Math.f16round(value))) return false;
  }
  return true;
}
