/** A tensor in a file: where it lies, and how its rows are read. */
import { KvError } from "../../error.ts";
import { blocks, storedBytes } from "./dequantise.ts";
import type { RangeFile } from "./range-file.ts";
import type { WeightInfo } from "./weights.ts";

/** Where a tensor lies. Its header has been checked: the range is inside the file, and rows are whole blocks. */
export interface StoredTensor extends WeightInfo {
  readonly file: RangeFile;
  readonly offset: number;
  /** Rows of each head were stored as pairs (i, i + d/2), as llama.cpp does for its RoPE; d, or null. */
  readonly pairedHeadDim: number | null;
}

/** Large enough to read at the disk's speed, small enough to not count beside the fp32 result. */
const chunkBytes = 1 << 20;

/** A vector is one row. */
export const columnCount = ({ shape }: WeightInfo): number => shape.at(-1) ?? 1;
export const rowCount = ({ shape }: WeightInfo): number =>
  shape.slice(0, -1).reduce((product, size) => product * size, 1);

/** An array that a tensor, or a part of each of its blocks, is decoded into: so many numbers per row, from the first row on. */
export interface Decoded<A> {
  readonly length: number;
  subarray(from: number, to: number): A;
  slice(from: number, to: number): A;
  set(values: A, at: number): void;
}

export type Decode<A> = (bytes: Uint8Array<ArrayBuffer>, out: A) => void;

/** Every row, in the order of the model rather than of the file. */
export function readWhole<A extends Decoded<A>>(tensor: StoredTensor, out: A, decode: Decode<A>): void {
  const rows = rowCount(tensor);
  readRange(tensor, 0, rows, out, decode);
  if (tensor.pairedHeadDim !== null) unpair(out, tensor.pairedHeadDim, out.length / rows);
}

/**
 * Rows by their places in the model, one after the other. Those that are neighbours in the file too are read together.
 *
 * @throws KvError `invalid_option` for a row that is not there
 */
export function readRows<A extends Decoded<A>>(
  tensor: StoredTensor,
  rows: ArrayLike<number>,
  out: A,
  decode: Decode<A>,
): void {
  const width = out.length / rows.length;
  for (let at = 0; at < rows.length; ) {
    const first = storedRow(tensor, validRow(tensor, rows[at]));
    let end = at + 1;
    while (end < rows.length && storedRow(tensor, validRow(tensor, rows[end])) === first + end - at) end++;
    readRange(tensor, first, end - at, out.subarray(at * width, end * width), decode);
    at = end;
  }
}

/** Reads and decodes `count` stored rows from `first`, in chunks, so that the raw bytes are never all in memory. */
function readRange<A extends Decoded<A>>(
  tensor: StoredTensor,
  first: number,
  count: number,
  out: A,
  decode: Decode<A>,
): void {
  const { type, file } = tensor;
  const elements = count * columnCount(tensor);
  const start = tensor.offset + storedBytes(type, first * columnCount(tensor));
  const block = blocks[type];
  const step = Math.floor(chunkBytes / block.bytes) * block.elements;
  const buffer = new Uint8Array(storedBytes(type, Math.min(step, elements)));
  const perElement = out.length / elements;
  for (let at = 0; at < elements; at += step) {
    const size = Math.min(step, elements - at);
    const bytes = buffer.subarray(0, storedBytes(type, size));
    file.readInto(bytes, start + storedBytes(type, at));
    decode(bytes, out.subarray(at * perElement, (at + size) * perElement));
  }
}

function validRow(tensor: StoredTensor, row: number | undefined): number {
  if (row !== undefined && Number.isInteger(row) && row >= 0 && row < rowCount(tensor)) return row;
  const allowed = `a row of ${tensor.name}, 0 to ${rowCount(tensor) - 1}`;
  throw new KvError({ code: "invalid_option", path: ["rows"], found: row, allowed });
}

/** Where row s d/2 + j of a head went: llama.cpp stores it at 2 j + s. */
function storedRow({ pairedHeadDim }: StoredTensor, row: number): number {
  if (pairedHeadDim === null) return row;
  const inHead = row % pairedHeadDim;
  const middle = pairedHeadDim / 2;
  return row - inHead + 2 * (inHead % middle) + Math.floor(inHead / middle);
}

/** Puts rows of every head back: [heads, d/2, 2, width] to [heads, 2, d/2, width]. */
function unpair<A extends Decoded<A>>(values: A, headDim: number, width: number): void {
  const size = headDim * width;
  for (let at = 0; at < values.length; at += size) {
    const paired = values.slice(at, at + size);
    for (let row = 0; row < headDim; row++) {
      const from = (2 * (row % (headDim / 2)) + Math.floor(row / (headDim / 2))) * width;
      values.set(paired.subarray(from, from + width), at + row * width);
    }
  }
}
