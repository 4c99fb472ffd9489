/** Writes safetensors of fp32: beside their place first, and moved there once they are whole and on the disk. */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KvError } from "../../error.ts";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Length and JSON, padded so that the numbers after it are aligned. */
export function safetensorsHeader(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly NamedTensor[],
): Uint8Array {
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

/** The tensors' numbers as they stand in a file. */
export const bytesOf = (tensors: readonly NamedTensor[]): readonly Uint8Array[] =>
  tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));

/** Writes a header and the bytes after it. Either the whole file is there or what was there before. @throws KvError `disk_error` */
export async function writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
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
