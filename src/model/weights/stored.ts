/** Weights over files: what safetensors and GGUF share once their headers are read. */

import { createHash } from "node:crypto";
import { KvError } from "../../error.ts";
import { dequantise } from "./dequantise.ts";
import { blockParts, type QuantisedMatrix } from "./quantised.ts";
import type { RangeFile } from "./range-file.ts";
import { splitTensors } from "./split.ts";
import {
  columnCount,
  type Decode,
  type Decoded,
  readRows,
  readWhole,
  rowCount,
  type StoredTensor,
} from "./stored-tensor.ts";
import type { WeightInfo, Weights } from "./weights.ts";

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
      const out = new Float32Array(rows.length * columnCount(tensor));
      readRows(tensor, rows, out, decoderOf(tensor));
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

const decoderOf =
  ({ type }: WeightInfo): Decode<Float32Array<ArrayBuffer>> =>
  (bytes, out) =>
    dequantise(type, bytes, out);

function quantisedMatrix(tensor: StoredTensor): QuantisedMatrix | null {
  const parts = tensor.shape.length === 2 ? blockParts(tensor.type) : undefined;
  if (parts === undefined) return null;
  const { bits, block, quants, scales, offsets } = parts;
  const width = columnCount(tensor);
  const reading =
    <A extends Decoded<A>>(decode: Decode<A>, perRow: number) =>
    (into: A, first = 0): void => {
      const count = into.length / perRow;
      if (count === rowCount(tensor)) readWhole(tensor, into, decode);
      else
        readRows(
          tensor,
          Int32Array.from({ length: count }, (_, i) => first + i),
          into,
          decode,
        );
    };
  return {
    bits,
    block,
    quants: reading(quants, (width * bits) / 8),
    scales: reading(scales, width / block),
    offsets: offsets && reading(offsets, width / block),
  };
}

async function sha256(file: RangeFile): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(4 << 20);
  for (let at = 0; at < file.size; ) {
    const count = await file.readSome(buffer, at);
    if (count === 0) break;
    hash.update(buffer.subarray(0, count));
    at += count;
  }
  return hash.digest("hex");
}
