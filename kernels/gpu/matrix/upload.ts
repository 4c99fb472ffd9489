/** Brings matrices to a device. */
import { KvError } from "../../../src/error.ts";
import type { Gpu } from "../../../src/gpu/index.ts";
import { type GpuMatrix, isQuantised, type MatrixPart, nameOf } from "./matrix.ts";
import { type MatrixSource, type Planes, planesOf, rowsOfPiece } from "./planes.ts";
import { inWords } from "./words.ts";

/** A matrix whose room is taken, and whose numbers are on their way. */
export interface Upload {
  /** The caller's to free, whether its numbers came or not. */
  readonly matrix: GpuMatrix;
  /** Writes it, a piece at a time: each says which of the sources it was of, and how many rows of it. */
  readonly pieces: Iterable<{ readonly source: number; readonly rows: number }>;
}

/**
 * Matrices of equally many columns, one below the other, as one: those that the same rows are multiplied with. Neighbours that are stored
 * alike lie in one buffer, and what is larger than `most` bytes in several.
 *
 * @param most bytes of a buffer; default: as many as a program of the device may bind
 * @throws KvError `wrong_shape`, `out_of_memory`
 */
export function uploadMatrix(gpu: Gpu, label: string, sources: readonly MatrixSource[], most?: number): GpuMatrix {
  const { matrix, pieces } = beginUpload(gpu, label, sources, most);
  try {
    for (const _ of pieces);
    return matrix;
  } catch (fault) {
    matrix[Symbol.dispose]();
    throw fault;
  }
}

/** As `uploadMatrix`, for who waits between pieces: of what is larger than a piece, the host never holds more. */
export function beginUpload(
  gpu: Gpu,
  label: string,
  sources: readonly MatrixSource[],
  most = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize),
): Upload {
  const columns = sources[0]?.columns ?? 0;
  for (const source of sources) check(label, source, columns);
  const found = runs(sources.map(planesOf), most);
  using taken = new DisposableStack();
  const parts: MatrixPart[] = [];
  let from = 0;
  for (const run of found) {
    const { form, rowBytes, scaleBytes } = run[0].planes;
    const rows = run.reduce((sum, piece) => sum + piece.to - piece.from, 0);
    const values = taken.use(gpu.allocate(rows * rowBytes, label));
    const scales = isQuantised(form) ? taken.use(gpu.allocate(rows * scaleBytes, `${label} scales`)) : null;
    parts.push({ from, rows, form, values, scales });
    from += rows;
  }
  const owned = taken.move();
  return {
    matrix: { rows: from, columns, parts, [Symbol.dispose]: () => owned[Symbol.dispose]() },
    pieces: written(gpu, found, parts),
  };
}

function check(label: string, { columns, ...source }: MatrixSource, all: number): void {
  const block = source.type === "quantised" ? source.matrix.block : 1;
  if (columns === all && columns % block === 0) return;
  const allowed = columns === all ? `a multiple of ${block}, a block` : `${all}, as of the first`;
  throw new KvError({ code: "wrong_shape", path: [label, "columns"], found: columns, allowed });
}

/** Rows [from, to) of a matrix. */
interface Stretch {
  readonly source: number;
  readonly planes: Planes;
  readonly from: number;
  readonly to: number;
}

/** Stretches of one form, which one buffer has room for. */
type Run = readonly [Stretch, ...Stretch[]];

function runs(matrices: readonly Planes[], most: number): readonly Run[] {
  const found: [Stretch, ...Stretch[]][] = [];
  let room = 0;
  for (const [source, planes] of matrices.entries()) {
    for (let from = 0; from < planes.rows; ) {
      const last = found.at(-1);
      const fits = last !== undefined && nameOf(planes.form) === nameOf(last[0].planes.form) && room >= planes.rowBytes;
      if (!fits) room = most;
      const rows = Math.min(planes.rows - from, Math.max(1, Math.floor(room / Math.max(1, planes.rowBytes))));
      const stretch = { source, planes, from, to: from + rows };
      if (fits) last.push(stretch);
      else found.push([stretch]);
      room -= rows * planes.rowBytes;
      from += rows;
    }
  }
  return found;
}

function* written(gpu: Gpu, found: readonly Run[], parts: readonly MatrixPart[]): Upload["pieces"] {
  for (const [i, part] of parts.entries()) {
    const values = inWords(gpu, part.values);
    const scales = part.scales === null ? null : inWords(gpu, part.scales);
    for (const { source, planes, from, to } of found[i] ?? []) {
      const step = rowsOfPiece(planes.rowBytes);
      for (let row = from; row < to; row += step) {
        const end = Math.min(row + step, to);
        values.put(planes.values(row, end));
        scales?.put(planes.scales(row, end));
        yield { source, rows: end - row };
      }
    }
    scales?.end();
  }
}
