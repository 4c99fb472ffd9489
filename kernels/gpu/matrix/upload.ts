/** Brings matrices to a device. */
import { KvError } from "../../../src/error.ts";
import type { Block, Gpu } from "../../../src/gpu/index.ts";
import { type GpuMatrix, isQuantised, type MatrixPart, nameOf } from "./matrix.ts";
import { type MatrixSource, type Planes, planesOf } from "./planes.ts";

/** Bytes of values that are made ready at a time. */
const CHUNK = 64 * 2 ** 20;

/**
 * Matrices of equally many columns, one below the other, as one: those that the same rows are multiplied with. Neighbours that are stored
 * alike lie in one buffer, and what is larger than `most` bytes in several.
 *
 * @param most bytes of a buffer; default: as many as a program of the device may bind
 * @throws KvError `wrong_shape`, `out_of_memory`
 */
export function uploadMatrix(
  gpu: Gpu,
  label: string,
  sources: readonly MatrixSource[],
  most = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize),
): GpuMatrix {
  const columns = sources[0]?.columns ?? 0;
  for (const source of sources) check(label, source, columns);
  const parts: MatrixPart[] = [];
  let from = 0;
  for (const run of runs(sources.map(planesOf), most)) {
    const part = upload(gpu, label, run, from);
    parts.push(part);
    from += part.rows;
  }
  return {
    rows: from,
    columns,
    parts,
    [Symbol.dispose]() {
      for (const { values, scales } of parts) {
        values[Symbol.dispose]();
        scales?.[Symbol.dispose]();
      }
    },
  };
}

function check(label: string, { columns, ...source }: MatrixSource, all: number): void {
  const block = source.type === "quantised" ? source.matrix.block : 1;
  if (columns === all && columns % block === 0) return;
  const allowed = columns === all ? `a multiple of ${block}, a block` : `${all}, as of the first`;
  throw new KvError({ code: "wrong_shape", path: [label, "columns"], found: columns, allowed });
}

/** Rows [from, to) of a matrix. */
interface Piece {
  readonly planes: Planes;
  readonly from: number;
  readonly to: number;
}

/** Pieces of one form, which one buffer has room for. */
type Run = readonly [Piece, ...Piece[]];

function runs(matrices: readonly Planes[], most: number): readonly Run[] {
  const found: [Piece, ...Piece[]][] = [];
  let room = 0;
  for (const planes of matrices) {
    for (let from = 0; from < planes.rows; ) {
      const last = found.at(-1);
      const fits = last !== undefined && nameOf(planes.form) === nameOf(last[0].planes.form) && room >= planes.rowBytes;
      if (!fits) room = most;
      const rows = Math.min(planes.rows - from, Math.max(1, Math.floor(room / Math.max(1, planes.rowBytes))));
      const piece = { planes, from, to: from + rows };
      if (fits) last.push(piece);
      else found.push([piece]);
      room -= rows * planes.rowBytes;
      from += rows;
    }
  }
  return found;
}

function upload(gpu: Gpu, label: string, run: Run, first: number): MatrixPart {
  const { form, rowBytes } = run[0].planes;
  const rows = run.reduce((sum, { from, to }) => sum + to - from, 0);
  const values = gpu.allocate(rows * rowBytes, label);
  const step = Math.max(1, Math.floor(CHUNK / Math.max(1, rowBytes)));
  let at = 0;
  for (const { planes, from, to } of run) {
    for (let row = from; row < to; row += step) {
      const bytes = planes.values(row, Math.min(row + step, to));
      gpu.write(values, at, bytes);
      at += bytes.byteLength;
    }
  }
  return { from: first, rows, form, values, scales: isQuantised(form) ? uploadScales(gpu, label, run) : null };
}

function uploadScales(gpu: Gpu, label: string, run: Run): Block {
  const own = run.map(({ planes: { scales, rows }, from, to }) => {
    if (scales === null) return new Uint8Array(0);
    const perRow = scales.byteLength / rows;
    return new Uint8Array(scales.buffer, from * perRow, (to - from) * perRow);
  });
  const length = own.reduce((sum, bytes) => sum + bytes.length, 0);
  const all = new Uint8Array(Math.ceil(length / 4) * 4); // devices are given whole words
  let at = 0;
  for (const bytes of own) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return gpu.upload(all, `${label} scales`);
}
