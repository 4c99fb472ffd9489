/** Weights over files: what safetensors and GGUF share once their headers are read. */

import { createHash } from "node:crypto";
import { KvError } from "../../error.ts";
import { blocks, dequantise, storedBytes } from "./dequantise.ts";
import { blockParts, type QuantisedMatrix } from "./quantised.ts";
import type { RangeFile } from "./range-file.ts";
import { splitTensors } from "./split.ts";
import type { WeightInfo, Weights } from "./weights.ts";

/** Where a tensor lies. Its header has been checked: the range is inside the file, and rows are whole blocks. */
export interface StoredTensor extends WeightInfo {
  readonly file: RangeFile;
  readonly offset: number;
  /** Rows of each head were stored as pairs (i, i + d/2), as llama.cpp does for its RoPE; d, or null. */
  readonly pairedHeadDim: number | null;
}

/** Large enough to read at the disk's speed, small enough to not count beside the fp32 result. */
const chunkBytes = 1 << 20;

/**
 * Weights that read from `files`, and own them: disposing closes them.
 *
 * @param tensors names are unique
 */
export function storedWeights(files: readonly RangeFile[], tensors: readonly StoredTensor[]): Weights {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const paths = files.map(({ path }) => path);
  let digest: Promise<string> | undefined;

  const find = (name: string): StoredTensor => {
    const tensor = byName.get(name);
    if (tensor) return tensor;
    const allowed = "the name of a tensor in this model";
    throw new KvError({ code: "missing_tensor", path: [paths[0] ?? "weights", name], found: "absent", allowed });
  };

  return {
    tensors: tensors.map(publicInfo),
    files: paths,
    has: (name) => byName.has(name),
    info: (name) => publicInfo(find(name)),
    read(name, into) {
      const tensor = find(name);
      const out = into ?? new Float32Array(rowCount(tensor) * columnCount(tensor));
      readWhole(tensor, out, decoderOf(tensor));
      return out;
    },
    readRows(name, rows) {
      const tensor = find(name);
      const columns = columnCount(tensor);
      const out = new Float32Array(rows.length * columns);
      for (let i = 0; i < rows.length; i++) {
        const row = validRow(tensor, rows[i]);
        readRange(tensor, storedRow(tensor, row), 1, out.subarray(i * columns, (i + 1) * columns), decoderOf(tensor));
      }
      return out;
    },
    quantised: (name) => quantisedMatrix(find(name)),
    split: (parts) => storedWeights(files, splitTensors(tensors, parts, find)),
    identity: () => JSON.stringify(files.map((file) => [file.path, file.identity()])),
    sha256() {
      digest ??= Promise.all(files.map(sha256)).then(([first = "", ...rest]) =>
        rest.length === 0
          ? first
          : createHash("sha256")
              .update([first, ...rest].join(""))
              .digest("hex"),
      );
      return digest;
    },
    [Symbol.dispose]() {
      for (const file of files) file[Symbol.dispose]();
    },
  };
}

const publicInfo = ({ name, type, shape }: StoredTensor): WeightInfo => ({ name, type, shape });

/** A vector is one row. */
const columnCount = ({ shape }: WeightInfo): number => shape.at(-1) ?? 1;
const rowCount = ({ shape }: WeightInfo): number => shape.slice(0, -1).reduce((product, size) => product * size, 1);

function validRow(tensor: StoredTensor, row: number | undefined): number {
  if (row !== undefined && Number.isInteger(row) && row >= 0 && row < rowCount(tensor)) return row;
  const allowed = `a row of ${tensor.name}, 0 to ${rowCount(tensor) - 1}`;
  throw new KvError({ code: "invalid_option", path: ["rows"], found: row, allowed });
}

/** An array that a tensor, or a part of each of its blocks, is decoded into: so many numbers per row, from the first row on. */
interface Decoded<A> {
  readonly length: number;
  subarray(from: number, to: number): A;
  slice(from: number, to: number): A;
  set(values: A, at: number): void;
}

type Decode<A> = (bytes: Uint8Array<ArrayBuffer>, out: A) => void;

const decoderOf =
  ({ type }: WeightInfo): Decode<Float32Array<ArrayBuffer>> =>
  (bytes, out) =>
    dequantise(type, bytes, out);

function quantisedMatrix(tensor: StoredTensor): QuantisedMatrix | null {
  const parts = tensor.shape.length === 2 ? blockParts(tensor.type) : undefined;
  if (parts === undefined) return null;
  const { bits, block, quants, scales, offsets } = parts;
  return {
    bits,
    block,
    quants: (into) => readWhole(tensor, into, quants),
    scales: (into) => readWhole(tensor, into, scales),
    offsets: offsets && ((into) => readWhole(tensor, into, offsets)),
  };
}

/** Every row, in the order of the model rather than of the file. */
function readWhole<A extends Decoded<A>>(tensor: StoredTensor, out: A, decode: Decode<A>): void {
  const rows = rowCount(tensor);
  readRange(tensor, 0, rows, out, decode);
  if (tensor.pairedHeadDim !== null) unpair(out, tensor.pairedHeadDim, out.length / rows);
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

async function sha256(file: RangeFile): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(4 * chunkBytes);
  for (let at = 0; at < file.size; ) {
    const count = await file.readSome(buffer, at);
    if (count === 0) break;
    hash.update(buffer.subarray(0, count));
    at += count;
  }
  return hash.digest("hex");
}
