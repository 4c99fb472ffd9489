/** Weights in GGUF: the directory read and checked at opening, tensors read by range when asked for. */

import { KvError } from "../../error.ts";
import { blocks, storedBytes } from "./dequantise.ts";
import { type GgufHeader, type GgufMetadata, type GgufTensor, readGgufHeader } from "./gguf-header.ts";
import { huggingFaceName } from "./gguf-names.ts";
import { ggmlTypeName, ggmlTypes } from "./gguf-types.ts";
import type { RangeFile } from "./range-file.ts";
import { storedWeights } from "./stored.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import type { Weights } from "./weights.ts";

export interface Gguf {
  readonly weights: Weights;
  readonly metadata: GgufMetadata;
}

/**
 * Opens a GGUF file, which the weights own. Names and row order become Hugging Face's: shapes are [out, in], and the rows of Q and K that
 * llama.cpp's converter paired for its own RoPE are put back.
 *
 * @throws KvError `corrupt_file`, `unsupported_format` (a tensor type, named; a split file)
 */
export function openGguf(file: RangeFile): Gguf {
  try {
    const header = readGgufHeader(file);
    assertWhole(file, header.metadata);
    const tensors = header.tensors.map((tensor) => storedTensor(file, header, tensor));
    assertApart(file, tensors);
    return { weights: storedWeights([file], tensors), metadata: header.metadata };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

function assertWhole(file: RangeFile, metadata: GgufMetadata): void {
  const parts = metadata.get("split.count") ?? 1;
  if (parts === 0 || parts === 1) return;
  const hint = "join the parts with llama-gguf-split --merge";
  throw new KvError({ code: "unsupported_format", path: [file.path, "split.count"], found: parts, allowed: "1", hint });
}

function storedTensor(file: RangeFile, header: GgufHeader, { name, sizes, type, offset }: GgufTensor): StoredTensor {
  const known = ggmlTypes.get(type);
  if (!known) {
    const allowed = `one of ${[...ggmlTypes.values()].join(", ")}`;
    throw new KvError({ code: "unsupported_format", path: [file.path, name], found: ggmlTypeName(type), allowed });
  }
  const [columns = 1] = sizes;
  if (sizes.includes(0) || columns % blocks[known].elements !== 0) {
    throw corrupt(file, name, sizes, `rows of whole ${known} blocks of ${blocks[known].elements}`);
  }
  // Exact for what passes: a product beyond 2^53 is rounded, but to nothing as small as a file.
  const bytes = storedBytes(
    known,
    sizes.reduce((product, size) => product * size, 1),
  );
  const start = header.dataStart + offset;
  if (offset % header.alignment !== 0 || start + bytes > file.size) {
    throw corrupt(
      file,
      name,
      `${bytes} bytes at ${start}`,
      `aligned to ${header.alignment} and within ${file.size} bytes`,
    );
  }
  const shape = sizes.toReversed();
  const pairedHeadDim = pairing(file, header.metadata, name, shape);
  const architecture = String(header.metadata.get("general.architecture"));
  return { name: huggingFaceName(name, architecture), type: known, shape, file, offset: start, pairedHeadDim };
}

/** Of the architectures read here, only `llama` (which Mistral files use too) has its Q and K rows paired. */
function pairing(file: RangeFile, metadata: GgufMetadata, name: string, shape: readonly number[]): number | null {
  const [, part] = /^blk\.\d+\.attn_([qk])\.(?:weight|bias)$/.exec(name) ?? [];
  if (part === undefined || metadata.get("general.architecture") !== "llama") return null;
  const queryHeads = metadata.get("llama.attention.head_count");
  const heads = part === "q" ? queryHeads : (metadata.get("llama.attention.head_count_kv") ?? queryHeads);
  const [rows = 0] = shape;
  if (typeof heads === "number" && heads >= 1 && Number.isInteger(rows / heads / 2)) return rows / heads;
  throw corrupt(
    file,
    "llama.attention.head_count",
    heads,
    `an integer that splits the ${rows} rows of ${name} into pairs`,
  );
}

function assertApart(file: RangeFile, tensors: readonly StoredTensor[]): void {
  let end = 0;
  const seen = new Set<string>();
  for (const { name, type, shape, offset } of tensors.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < end) throw corrupt(file, name, `at ${offset}`, `at ${end} or later, after the tensor before it`);
    if (seen.has(name)) throw corrupt(file, name, "a second time", "unique");
    seen.add(name);
    end =
      offset +
      storedBytes(
        type,
        shape.reduce((product, size) => product * size, 1),
      );
  }
}

const corrupt = (file: RangeFile, place: string, found: unknown, allowed: string): KvError =>
  new KvError({ code: "corrupt_file", path: [file.path, place], found, allowed });
