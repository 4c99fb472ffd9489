/** Weights in safetensors: one file, or shards with an index. Only headers are read at opening, tensors when asked for. */

import { z } from "zod";
import { KvError } from "../../error.ts";
import type { ModelFolder } from "../folder.ts";
import { parseWith, readJson } from "../open-json.ts";
import type { RangeFile } from "./range-file.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import { storedWeights } from "./stored.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import type { Weights } from "./weights.ts";

const indexLimit = 64 << 20;
/** The largest models have a few hundred; each costs a file descriptor. */
const shardLimit = 512;

const Index = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens a folder's `.safetensors` file, or the `model.safetensors.index.json` of a sharded model.
 *
 * @throws KvError `model_not_found`, `access_denied`, `corrupt_file`, `unsupported_format`, `unsafe_path`, `missing_tensor`
 */
export function openSafetensors(folder: ModelFolder, name: string): Weights {
  return name.endsWith(".json") ? openShards(folder, name) : open(folder, [name]);
}

function openShards(folder: ModelFolder, indexName: string): Weights {
  const path = folder.pathOf(indexName);
  const index = parseWith(Index, readJson(folder, indexName, indexLimit), "corrupt_file", path);
  const names = [...new Set(Object.values(index.weight_map))].sort();
  if (names.length === 0 || names.length > shardLimit) {
    const allowed = `a map to 1 to ${shardLimit} files`;
    throw new KvError({ code: "corrupt_file", path: [path, "weight_map"], found: names.length, allowed });
  }
  for (const name of names) assertPlainName(name, path);
  const weights = open(folder, names);
  const missing = Object.keys(index.weight_map).find((name) => !weights.has(name));
  if (missing === undefined) return weights;
  weights[Symbol.dispose]();
  const allowed = "in the file that the index names";
  throw new KvError({ code: "missing_tensor", path: [path, missing], found: "absent", allowed });
}

/** The name is checked, not what it links to: the Hub's cache consists of links to another folder. */
function assertPlainName(name: string, path: string): void {
  if (name !== "" && name !== "." && name !== ".." && !/[\\/:\0]/.test(name)) return;
  const allowed = "the name of a file in the model's own folder";
  throw new KvError({ code: "unsafe_path", path: [path, "weight_map"], found: name, allowed });
}

function open(folder: ModelFolder, names: readonly string[]): Weights {
  const files: RangeFile[] = [];
  try {
    for (const name of names) files.push(folder.open(name));
    const tensors = files.flatMap(readSafetensorsHeader);
    assertUniqueNames(tensors);
    return storedWeights(files, tensors);
  } catch (error) {
    for (const file of files) file[Symbol.dispose]();
    throw error;
  }
}

function assertUniqueNames(tensors: readonly StoredTensor[]): void {
  const seen = new Set<string>();
  for (const { name, file } of tensors) {
    if (seen.has(name)) {
      throw new KvError({ code: "corrupt_file", path: [file.path, name], found: "a second time", allowed: "unique" });
    }
    seen.add(name);
  }
}
