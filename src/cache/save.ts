/** Writes a cache: beside its place first, and moved there once it is whole and on the disk. */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KvError } from "../error.ts";
import type { KvCache } from "./cache.ts";
import { FORMAT, NO_HASH, type SavedCache } from "./file-format.ts";
import { headLength, type Places } from "./layer.ts";

interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Writes what the cache holds; it must not change meanwhile.
 *
 * @throws KvError `disk_error`, with the path as it was before; `disposed`
 */
export async function writeCache(path: string, cache: KvCache, about: Omit<SavedCache, "shape">): Promise<void> {
  const tensors = tensorsOf(cache);
  const bytes = tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const metadata = { format: FORMAT, sha256: NO_HASH, ...jsonOf({ ...about, shape: shapeOf(cache) }) };
  const unsealed = headerOf(metadata, tensors);
  const hash = createHash("sha256");
  for (const part of [unsealed, ...bytes]) hash.update(part);
  const header = headerOf({ ...metadata, sha256: hash.digest("hex") }, tensors);
  await writeWhole(path, [header, ...bytes]);
}

function shapeOf({ model, geometry, length, layers, tail, packing }: KvCache): SavedCache["shape"] {
  const countsOf = (all: readonly Places[]) =>
    all.map((places) => Array.from({ length: geometry.kvHeads }, (_, h) => headLength(places, h)));
  const shape = { model, ...geometry, length, counts: countsOf(layers), tail: tail.length };
  if (packing === null) return shape;
  const { prompt, next } = packing;
  return { ...shape, packed: { prompt, next, counts: countsOf(packing.layers) } };
}

const jsonOf = ({ shape, provenance, method }: SavedCache) => ({
  cache: JSON.stringify(shape),
  provenance: JSON.stringify(provenance),
  method: JSON.stringify(method),
});

function tensorsOf({ layers, tail, logits, geometry, packing }: KvCache): readonly NamedTensor[] {
  const { headDim, kvHeads } = geometry;
  const width = layers.length * 2 * kvHeads * headDim;
  return [
    ...layers.flatMap(({ keys, values, positions }, layer) => [
      { name: `keys.${layer}`, shape: [positions.length, headDim], data: keys },
      { name: `values.${layer}`, shape: [positions.length, headDim], data: values },
      { name: `positions.${layer}`, shape: [positions.length], data: Float32Array.from(positions) },
    ]),
    ...(packing?.layers ?? []).map(({ positions }, layer) => ({
      name: `origins.${layer}`,
      shape: [positions.length],
      data: Float32Array.from(positions),
    })),
    { name: "tail", shape: [tail.length, width], data: tail.data.subarray(0, tail.length * width) },
    { name: "logits", shape: [logits.length], data: logits },
  ];
}

/** Length and JSON, padded so that the numbers after it are aligned. */
function headerOf(metadata: Readonly<Record<string, string>>, tensors: readonly NamedTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(" ".charCodeAt(0));
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}

async function writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const fresh = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await pipeline(Readable.from(parts), createWriteStream(fresh));
    await synced(fresh);
    await rename(fresh, path);
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined); // the first fault is the one to tell
    const found = cause instanceof Error ? cause.message : String(cause);
    const allowed = "a place that can be written and has room";
    throw new KvError({ code: "disk_error", path: [path], found, allowed, cause });
  }
}

async function synced(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.sync();
}
