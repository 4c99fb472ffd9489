/** What a folder of the Hub's cache holds: whole models are told from parts of them by looking, not by notes. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { KvError } from "../../error.ts";
import { sizeOf } from "./layout.ts";
import { INDEX, SINGLE, shardNames } from "./listing.ts";

export interface Snapshot {
  /** The folder, or the .gguf file in it. */
  readonly path: string;
  /** Files a model needs that are not there; empty when it is whole. */
  readonly missing: readonly string[];
}

/** Looks into a snapshot folder; one that does not exist misses everything. */
export async function inspectSnapshot(folder: string, weights: "any" | "gguf"): Promise<Snapshot> {
  const names: readonly string[] = await readdir(folder, { recursive: true }).catch(() => []);
  const gguf = names.filter((name) => /\.gguf$/i.test(name));
  const safetensors = names.includes(SINGLE) || names.includes(INDEX);
  if (weights === "gguf" || (!safetensors && gguf.length > 0)) {
    const path = join(folder, gguf[0] ?? "");
    const whole = gguf.length === 1 && (await sizeOf(path)) !== null;
    return { path, missing: whole ? [] : ["exactly one .gguf file"] };
  }
  const wanted = ["config.json", ...(await weightFiles(folder, names)), "tokenizer.json"];
  const sizes = await Promise.all(wanted.map((name) => sizeOf(join(folder, name))));
  return { path: folder, missing: wanted.filter((_, index) => sizes[index] === null) };
}

async function weightFiles(folder: string, names: readonly string[]): Promise<readonly string[]> {
  if (names.includes(SINGLE) || !names.includes(INDEX)) return [SINGLE];
  try {
    return [INDEX, ...shardNames(await readFile(join(folder, INDEX), "utf8"), folder)];
  } catch (thrown) {
    if (thrown instanceof KvError && thrown.code === "unsafe_path") throw thrown;
    return [`${INDEX} (readable)`];
  }
}
