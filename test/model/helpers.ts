/** What the tests of this folder share: scratch folders, faults as values, small models to write and to spoil. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { KvError } from "../../src/error.ts";

/** The folder of a tiny fixture. */
export const tiny = (name: string): string => join(import.meta.dir, "../fixtures/tiny", name);

/** Files that this process has open: what fails must close its own. */
export const openFiles = (): number => readdirSync("/dev/fd").length;

/** A folder that goes away; `write` puts files into it, and gives the first one's path. */
export function scratch(files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const path = mkdtempSync(join(tmpdir(), "pyramidkv-model-"));
  const write = (more: Readonly<Record<string, string | Uint8Array>>): string => {
    for (const [name, content] of Object.entries(more)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
    return join(path, Object.keys(more)[0] ?? "");
  };
  write(files);
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export { faultOf } from "../support/fault.ts";
export { SEED } from "../support/seed.ts";

/** Runs what may fail in our own way only. */
export function survives(action: () => unknown): void {
  try {
    action();
  } catch (thrown) {
    if (!(thrown instanceof KvError)) throw thrown;
  }
}

export interface SafetensorsEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The bytes of a safetensors file; `spoil` may change its header. */
export function safetensorsBytes(
  tensors: Readonly<Record<string, SafetensorsEntry>>,
  spoil: (header: Record<string, unknown>) => unknown = (header) => header,
): Buffer {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const begin = end;
      end += data.length;
      return [name, { dtype, shape, data_offsets: [begin, end] }];
    }),
  );
  return withHeader(JSON.stringify(spoil(header)), ...Object.values(tensors).map(({ data }) => data));
}

/** A safetensors file with this text for a header, whatever it says. */
export function withHeader(text: string, ...data: readonly Uint8Array[]): Buffer {
  const header = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...data]);
}

export const f32Entry = (shape: readonly number[], values: ArrayLike<number>): SafetensorsEntry => ({
  dtype: "F32",
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});
