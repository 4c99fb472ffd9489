/**
 * The head of a GGUF file, version 2 or 3: counts, metadata, tensor directory.
 *
 * Nothing it claims is believed: no count may exceed what the rest of the file could hold, so that neither memory nor
 * time grows beyond the file's own size.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

import { KvError } from "../../error.ts";
import { type GgufNumber, type GgufReader, ggufReader } from "./gguf-reader.ts";
import type { RangeFile } from "./range-file.ts";

export type GgufScalar = number | bigint | boolean | string;
export type GgufValue = GgufScalar | readonly GgufScalar[];
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export interface GgufTensor {
  readonly name: string;
  /** ggml's order: columns first. */
  readonly sizes: readonly number[];
  readonly type: number;
  /** From the start of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensor[];
  /** Where the data start, aligned. */
  readonly dataStart: number;
  readonly alignment: number;
}

const magic = 0x46554747;
const versions: readonly number[] = [2, 3];
/** The shortest an entry can be: an empty name, a type, one byte; and an empty name, no sizes, a type, an offset. */
const leastMetadata = 8 + 4 + 1;
const leastTensor = 8 + 4 + 4 + 8;
const dimensionLimit = 4;
const nameLimit = 1024;

/** @throws KvError `corrupt_file`, `unsupported_format` (version 1, big-endian) */
export function readGgufHeader(file: RangeFile): GgufHeader {
  const reader = ggufReader(file);
  const found = reader.number("u32", "magic");
  if (found !== magic) throw reader.corrupt("magic", `0x${found.toString(16)}`, "GGUF");
  const version = reader.number("u32", "version");
  if (!versions.includes(version)) {
    const allowed = `${versions.join(" or ")}, little-endian`;
    throw new KvError({ code: "unsupported_format", path: [file.path, "version"], found: version, allowed });
  }
  const tensorCount = reader.count(leastTensor, "tensor count");
  const metadataCount = reader.count(leastMetadata, "metadata count");

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = name(reader, `metadata key ${i}`);
    if (metadata.has(key)) throw reader.corrupt(key, "a second time", "unique");
    metadata.set(key, value(reader, reader.number("u32", key), key));
  }

  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const tensor = readTensor(reader, i);
    if (tensors.has(tensor.name)) throw reader.corrupt(tensor.name, "a second time", "unique");
    tensors.set(tensor.name, tensor);
  }

  const alignment = validAlignment(reader, metadata.get("general.alignment") ?? 32);
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  return { metadata, tensors: [...tensors.values()], dataStart, alignment };
}

function name(reader: GgufReader, place: string): string {
  const text = reader.text(place);
  if (text.length > nameLimit) throw reader.corrupt(place, text, `at most ${nameLimit} characters`);
  return text;
}

function readTensor(reader: GgufReader, index: number): GgufTensor {
  const tensor = name(reader, `tensor ${index}`);
  const dimensions = reader.number("u32", `${tensor} dimensions`);
  if (dimensions > dimensionLimit)
    throw reader.corrupt(`${tensor} dimensions`, dimensions, `at most ${dimensionLimit}`);
  const sizes = Array.from({ length: dimensions }, () => reader.size(`${tensor} sizes`));
  const type = reader.number("u32", `${tensor} type`);
  return { name: tensor, sizes, type, offset: reader.size(`${tensor} offset`) };
}

function validAlignment(reader: GgufReader, alignment: GgufValue): number {
  if (
    typeof alignment === "number" &&
    alignment >= 1 &&
    alignment <= 1 << 16 &&
    Number.isInteger(Math.log2(alignment))
  ) {
    return alignment;
  }
  throw reader.corrupt("general.alignment", alignment, "a power of two up to 65536");
}

const boolType = 7;
const arrayType = 9;
/** The number types by their number in the format, and the fewest bytes one takes. */
const numberTypes: ReadonlyMap<number, { kind: GgufNumber; bytes: number }> = new Map([
  [0, { kind: "u8", bytes: 1 }],
  [1, { kind: "i8", bytes: 1 }],
  [2, { kind: "u16", bytes: 2 }],
  [3, { kind: "i16", bytes: 2 }],
  [4, { kind: "u32", bytes: 4 }],
  [5, { kind: "i32", bytes: 4 }],
  [6, { kind: "f32", bytes: 4 }],
  [12, { kind: "f64", bytes: 8 }],
]);

const value = (reader: GgufReader, type: number, key: string): GgufValue =>
  type === arrayType ? array(reader, key) : scalar(reader, type, key);

/** No real file has arrays in arrays, and llama.cpp refuses them too. */
function array(reader: GgufReader, key: string): readonly GgufScalar[] {
  const type = reader.number("u32", key);
  if (type === arrayType) throw reader.corrupt(key, "an array of arrays", "an array of plain values");
  const length = reader.count(numberTypes.get(type)?.bytes ?? (type === boolType ? 1 : 8), key);
  const values: GgufScalar[] = [];
  for (let i = 0; i < length; i++) values.push(scalar(reader, type, key));
  return values;
}

function scalar(reader: GgufReader, type: number, key: string): GgufScalar {
  const kind = numberTypes.get(type)?.kind;
  if (kind) return reader.number(kind, key);
  switch (type) {
    case boolType:
      return reader.number("u8", key) !== 0;
    case 8:
      return reader.text(key);
    case 10:
    case 11:
      return reader.long(type === 11, key);
    default:
      throw reader.corrupt(key, `value type ${type}`, "0 to 12");
  }
}
