/**
 * Graphs with their fp32 weights in files, made once per model: later loads read and dequantise nothing, and onnxruntime maps
 * the files instead of holding a second copy.
 *
 * Promises: what is used has been checked whole; a folder gets its name only when it is finished, and is never written again
 * (others may have it mapped); one process builds while others wait; a model has one graph, the older ones go. A cache that
 * cannot be written is not an error: the weights then come from memory.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { KvError } from "../../../error.ts";
import { onDisk } from "../../../model/source/faults.ts";
import { withLock } from "../../../model/source/lock.ts";
import type { Weights } from "../../../model/weights/weights.ts";
import type { OnnxModel } from "../../../onnx/graph.ts";
import { graphPath, isWhole, sourcesOf, writeGraph } from "./files.ts";
import { type GraphName, graphName } from "./name.ts";

export interface GraphCache {
  /** The folder with every model's graphs, made when needed. */
  readonly folder: string;
  /** Also for models outside the sizes that pay. */
  readonly always: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** fp32 bytes. Below, memory is as fast; above, the disk space is for the user to grant. */
const PAYS = { from: 64 * 2 ** 20, to: 4 * 2 ** 30 };

/**
 * The path of the graph's file, written first if it is not there.
 *
 * @returns null where there is none: weights that are not files, a size that does not pay, a disk that refuses
 * @throws KvError for faults of the weights, and `aborted`
 */
export async function cachedGraph(model: OnnxModel, weights: Weights, cache: GraphCache): Promise<string | null> {
  const name = graphName(model, weights);
  const bytes = model.weights.reduce((sum, { length }) => sum + 4 * length, 0);
  if (name === null || (!cache.always && (bytes < PAYS.from || bytes > PAYS.to))) return null;
  const folder = join(cache.folder, name.folder);
  try {
    if (await isWhole(folder, model)) return graphPath(folder);
    return await withLock(join(cache.folder, `${name.place}.lock`), cache.signal ?? null, async () => {
      const there = (await isWhole(folder, model)) || (await build(model, weights, cache.folder, name));
      return there ? graphPath(folder) : null;
    });
  } catch (fault) {
    if (fault instanceof KvError && fault.code === "disk_error") return null;
    throw fault;
  }
}

/** False if the weights' files changed meanwhile: their old name would promise what the graph does not hold. */
async function build(model: OnnxModel, weights: Weights, root: string, { place, folder }: GraphName): Promise<boolean> {
  const staging = join(root, `${place}.${randomUUID().slice(0, 8)}.tmp`);
  await removeOutdated(root, place);
  return await onDisk(root, async () => {
    try {
      await writeGraph(
        staging,
        model,
        weights.files.map((path) => resolve(path)),
      );
      if (graphName(model, weights)?.folder !== folder) return false;
      await rename(staging, join(root, folder));
      return true;
    } finally {
      await remove(staging);
    }
  });
}

/** What was made of the same files before, or left behind half made; and graphs of files that are gone. */
async function removeOutdated(root: string, place: string): Promise<void> {
  for (const entry of await readdir(root)) {
    if (entry.endsWith(".lock")) continue;
    const sources = entry.startsWith(place) ? [] : await sourcesOf(join(root, entry));
    if (sources !== null && !sources.some((path) => existsSync(path))) await remove(join(root, entry));
  }
}

/** As far as it can be: what another process has open may have to stay. */
const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true }).catch(() => {});
