/**
 * The header of a safetensors file: u64 length, that many bytes of JSON, then the tensors' bytes without a gap.
 *
 * Nothing it claims is believed: every range must lie in the file, follow the last one, and be as long as its shape says.
 *
 * @see https://github.com/huggingface/safetensors#format
 */

import { z } from "zod";
import { KvError } from "../../error.ts";
import { decodeText, parseJson, parseWith } from "../open-json.ts";
import { blocks, storedBytes } from "./dequantise.ts";
import type { RangeFile } from "./range-file.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import type { WeightType } from "./weights.ts";

/** The format's own limit. */
const headerLimit = 100_000_000;

const size = z.int().nonnegative();
const Entry = z.object({ dtype: z.string(), shape: z.array(size).max(8), data_offsets: z.tuple([size, size]) });
type Entry = z.infer<typeof Entry>;

const types: ReadonlyMap<string, WeightType> = new Map([
  ["F32", "F32"],
  ["F16", "F16"],
  ["BF16", "BF16"],
]);

const Metadata = z.record(z.string(), z.string()).default({});

/** What a file says of itself beside its tensors; {} where it says nothing. @throws KvError `corrupt_file` */
export function readSafetensorsMetadata(file: RangeFile): Readonly<Record<string, string>> {
  const { header } = readHeader(file);
  return parseWith(Metadata, Reflect.get(header, "__metadata__"), "corrupt_file", `${file.path}: __metadata__`);
}

/** Every tensor of `file`, in file order. @throws KvError `corrupt_file`, `unsupported_format` */
export function readSafetensorsHeader(file: RangeFile): StoredTensor[] {
  const { header, start } = readHeader(file);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => ({ name, entry: parseWith(Entry, entry, "corrupt_file", `${file.path}: ${name}`) }))
    .sort(({ entry: { data_offsets: a } }, { entry: { data_offsets: b } }) => a[0] - b[0] || a[1] - b[1]);

  let end = 0;
  const tensors = entries.map(({ name, entry }) => {
    const tensor = validTensor(file, start, name, entry, end);
    end = entry.data_offsets[1];
    return tensor;
  });
  if (start + end !== file.size) throw corrupt(file, "length", file.size, `${start + end} bytes, as the header says`);
  return tensors;
}

/** The header, and where the tensors' bytes start. */
function readHeader(file: RangeFile): { readonly header: object; readonly start: number } {
  const length = headerLength(file);
  const bytes = new Uint8Array(length);
  file.readInto(bytes, 8);
  const header = parseJson(decodeText(bytes, file.path), file.path);
  // Not through zod, which leaves out a tensor called __proto__.
  if (!(header instanceof Object) || Array.isArray(header)) throw corrupt(file, "header", header, "a JSON object");
  return { header, start: 8 + length };
}

function headerLength(file: RangeFile): number {
  if (file.size < 8) throw corrupt(file, "length", file.size, "at least 8 bytes");
  const bytes = new Uint8Array(8);
  file.readInto(bytes, 0);
  const length = new DataView(bytes.buffer).getBigUint64(0, true);
  const limit = Math.min(file.size - 8, headerLimit);
  if (length > limit) throw corrupt(file, "header length", length, `at most ${limit} in this file`);
  return Number(length);
}

function validTensor(file: RangeFile, start: number, name: string, entry: Entry, previousEnd: number): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = entry;
  const [begin, end] = offsets;
  const type = types.get(dtype);
  if (!type) {
    const allowed = `one of ${[...types.keys()].join(", ")}`;
    throw new KvError({ code: "unsupported_format", path: [file.path, name, "dtype"], found: dtype, allowed });
  }
  if (begin !== previousEnd || end < begin || start + end > file.size) {
    throw corrupt(file, `${name}.data_offsets`, offsets, `from ${previousEnd}, and within ${file.size - start} bytes`);
  }
  // Exact for what passes: a product beyond 2^53 is rounded, but to nothing as small as a file.
  const elements = shape.reduce((product, length) => product * length, 1);
  if (storedBytes(type, elements) !== end - begin) {
    throw corrupt(file, `${name}.shape`, shape, `${(end - begin) / blocks[type].bytes} elements of ${dtype}`);
  }
  return { name, type, shape, file, offset: start + begin, pairedHeadDim: null };
}

const corrupt = (file: RangeFile, place: string, found: unknown, allowed: string): KvError =>
  new KvError({ code: "corrupt_file", path: [file.path, place], found, allowed });
