/** Reads a cache that was saved. The file is not trusted: all sizes it claims are checked against the bytes it has. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { KvError } from "../error.ts";
import { parseJson, parseWith } from "../model/open-json.ts";
import { openRangeFile } from "../model/weights/disk-file.ts";
import type { RangeFile } from "../model/weights/range-file.ts";
import { readSafetensorsHeader, readSafetensorsMetadata } from "../model/weights/safetensors-header.ts";
import { storedWeights } from "../model/weights/stored.ts";
import type { Weights } from "../model/weights/weights.ts";
import type { AtLeast, EntriesInMemory } from "./contents.ts";
import { FORMAT, NO_HASH, type SavedCache, savedMethod, savedProvenance, savedShape } from "./file-format.ts";
import { type LayerEntries, offsetsOf, type Places } from "./layer.ts";
import { tailOf } from "./tail.ts";

/** Contents without the model's name. */
type Unnamed = Omit<AtLeast, "model"> & EntriesInMemory & { readonly logits: Float32Array };

export interface OpenCache extends Disposable {
  readonly about: SavedCache;
  /** Reads the tensors. @throws KvError `corrupt_file` */
  contents(): Unnamed;
}

const PART = 1 << 20;

/**
 * Opens a file and checks that it is what was saved, to the last bit.
 *
 * @throws KvError `invalid_option` where there is no such file, `unsupported_format`, `corrupt_file`, `access_denied`, `disk_error`
 */
export function openCache(path: string): OpenCache {
  const file = openExisting(path);
  try {
    const metadata = readSafetensorsMetadata(file);
    const weights = storedWeights([file], readSafetensorsHeader(file));
    if (metadata.format !== FORMAT) {
      const found = metadata.format ?? "a safetensors file of another kind";
      throw new KvError({ code: "unsupported_format", path: [path, "format"], found, allowed: `a ${FORMAT}` });
    }
    assertSealed(file, metadata.sha256);
    const part = <T extends z.ZodType>(name: string, schema: T) =>
      parseWith(schema, parseJson(metadata[name] ?? "", `${path}: ${name}`), "corrupt_file", `${path}: ${name}`);
    const about = {
      shape: part("cache", savedShape),
      provenance: part("provenance", savedProvenance),
      method: part("method", savedMethod),
    };
    return {
      about,
      contents: () => contentsOf(path, weights, about),
      [Symbol.dispose]: () => weights[Symbol.dispose](),
    };
  } catch (fault) {
    file[Symbol.dispose]();
    throw fault;
  }
}

function openExisting(path: string): RangeFile {
  try {
    return openRangeFile(path);
  } catch (fault) {
    if (!(fault instanceof KvError && fault.code === "model_not_found")) throw fault;
    const allowed = "a file that saveCache wrote";
    throw new KvError({ code: "invalid_option", path: [path], found: fault.found, allowed, cause: fault });
  }
}

/** Hashes the file with zeros where its own hash stands. */
function assertSealed(file: RangeFile, expected: string | undefined): void {
  const hash = createHash("sha256");
  const first = Buffer.alloc(Math.min(PART, file.size));
  file.readInto(first, 0);
  const at = expected?.length === NO_HASH.length ? first.indexOf(expected) : -1;
  if (at >= 0) first.write(NO_HASH, at);
  hash.update(first);
  const part = new Uint8Array(PART);
  for (let from = first.length; from < file.size; from += PART) {
    const bytes = part.subarray(0, Math.min(PART, file.size - from));
    file.readInto(bytes, from);
    hash.update(bytes);
  }
  const found = hash.digest("hex");
  if (at >= 0 && found === expected) return;
  throw corrupt(
    file.path,
    "sha256",
    found,
    `${expected ?? "the hash of the file"}: something was changed since it was saved`,
  );
}

function contentsOf(path: string, weights: Weights, { shape }: SavedCache): Unnamed {
  const { layers, kvHeads, headDim, length, counts, tail, packed } = shape;
  const read = (name: string, ...dims: readonly number[]): Float32Array<ArrayBuffer> => {
    const { shape: found } = weights.info(name);
    if (found.length === dims.length && dims.every((dim, i) => dim === found[i])) return weights.read(name);
    throw corrupt(path, name, found, JSON.stringify(dims));
  };
  /** Integers of every head of a layer. */
  const readPlaces = (name: string, heads: readonly number[], end: number): Places => {
    const offsets = offsetsOf(heads);
    const places = read(name, offsets.at(-1) ?? 0);
    const wrong = places.find((p) => !Number.isInteger(p) || p < 0 || p >= end);
    if (wrong !== undefined) throw corrupt(path, name, wrong, `an integer in [0, ${end})`);
    return { positions: Int32Array.from(places), offsets };
  };
  const checkCounts = (name: string, found: typeof counts, most: number) => {
    const fits = (heads: readonly number[]) => heads.length === kvHeads && heads.every((count) => count <= most);
    if (found.length === layers && found.every(fits)) return;
    throw corrupt(path, name, found, `at most ${most} for each of ${kvHeads} KV heads of ${layers} layers`);
  };
  const most = length - tail;
  checkCounts("counts", counts, most);
  const entries = counts.map((heads, layer): LayerEntries => {
    const places = readPlaces(`positions.${layer}`, heads, most);
    const total = places.positions.length;
    const made = {
      keys: read(`keys.${layer}`, total, headDim),
      values: read(`values.${layer}`, total, headDim),
      ...places,
    };
    return isAscending(made) ? made : { ...made, reused: true };
  });
  if (packed !== undefined) checkCounts("packed", packed.counts, Math.min(packed.next, packed.prompt));
  const origins = packed && {
    prompt: packed.prompt,
    next: packed.next,
    layers: packed.counts.map((heads, layer) => readPlaces(`origins.${layer}`, heads, packed.prompt)),
  };
  const width = layers * 2 * kvHeads * headDim;
  const logits = weights.info("logits").shape;
  return {
    geometry: { layers, kvHeads, headDim },
    layers: entries,
    length,
    origins: origins ?? null,
    logits: read("logits", logits[0] ?? 0),
    tail: tailOf(read("tail", tail, width), tail),
  };
}

/** Within each head: eviction while decoding leaves entries in no order. */
const isAscending = ({ positions, offsets }: Places): boolean =>
  positions.every((position, i) => offsets.includes(i) || position > (positions[i - 1] ?? -1));

const corrupt = (path: string, place: string, found: unknown, allowed: string): KvError =>
  new KvError({ code: "corrupt_file", path: [path, place], found, allowed });
