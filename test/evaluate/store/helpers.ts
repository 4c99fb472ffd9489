/** Folders, stores and their contents for the tests of stores. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Result } from "../../../src/evaluate/index.ts";
import { openStore } from "../../../src/evaluate/store/index.ts";

export async function folder() {
  const path = await mkdtemp(join(tmpdir(), "pyramidkv-store-"));
  return { path, at: (name: string) => join(path, name), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

export async function all(path: string): Promise<Result[]> {
  await using store = await openStore(path);
  return await Array.fromAsync(store.results());
}

export const sorted = (results: readonly Result[]): Result[] =>
  results.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
