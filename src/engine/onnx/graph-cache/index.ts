/**
 * Graphs with their weights in files, made once per model: later loads read and dequantise nothing, and onnxruntime maps
 * the files instead of holding a second copy.
 *
 * Promises: what is used has been checked whole; a folder gets its name only when it is finished, and is never written again
 * (others may have it mapped); one process builds while others wait; a model has one graph of each precision, the older ones go. A cache that
 * cannot be written is not an error: the weights then come from memory.
 *
 * SmolLM2-135M from Q4_1 on 2 shared cores, fastest of runs, 2026-11-22 (load s / CPU s to the first token / peak MiB / MiB after loading):
 * memory 1.8 / 2.1 / 1480 / 1370, first time 2.3 / 1.8 / 880 / 780, later 1.1 / 1.3 / 780 / 670, later and mapped 0.6 / 0.9 / 680 / 160.
 * Fast weights (112 MB): memory 1.7 s of CPU time and a peak of 507 MiB, later 1.3 s and 345 MiB.
 * Mapped, so without weights packed for the CPU, a step takes 20.8 ms rather than 17.2, two rows 27.5 rather than 17.0, and
 * chunks of 512 the same: an option, not the default. A random model of 2.7 GB opened mapped in 0.9 s with 36 MiB of its own
 * memory, against 5.6 GB from memory, and gave the same logits. onnxruntime can also save packed weights to be mapped (RSS as mapped,
 * speed as packed), but takes twice the disk, 3 s more at first, and packs them all the same to compare them: not used.
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
import type { Precision } from "../../index.ts";
import { graphPath, isWhole, sourcesOf, writeGraph } from "./files.ts";
import { type GraphName, graphName } from "./name.ts";

export interface GraphCache {
  /** The folder with every model's graphs, made when needed. */
  readonly folder: string;
  /** Also for models outside the sizes that pay. */
  readonly always: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of weights. Below, memory is as fast; above, the disk space is for the user to grant. */
const PAYS = { from: 64 * 2 ** 20, to: 4 * 2 ** 30 };

/**
 * The path of the graph's file, written first if it is not there.
 *
 * @returns null where there is none: weights that are not files, a size that does not pay, a disk that refuses
 * @throws KvError for faults of the weights, and `aborted`
 */
export async function cachedGraph(
  model: OnnxModel,
  weights: Weights,
  precision: Precision,
  cache: GraphCache,
): Promise<string | null> {
  const name = graphName(model, weights, precision);
  const bytes = model.weights.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (name === null || (!cache.always && (bytes < PAYS.from || bytes > PAYS.to))) return null;
  const folder = join(cache.folder, name.folder);
  try {
    if (await isWhole(folder, model)) return graphPath(folder);
    return await withLock(join(cache.folder, `${name.place}.lock`), cache.signal ?? null, async () => {
      const there = (await isWhole(folder, model)) || (await build(model, weights, precision, cache.folder, name));
      return there ? graphPath(folder) : null;
    });
  } catch (fault) {
    if (fault instanceof KvError && fault.code === "disk_error") return null;
    throw fault;
  }
}

/** False if the weights' files changed meanwhile: their old name would promise what the graph does not hold. */
async function build(
  model: OnnxModel,
  weights: Weights,
  precision: Precision,
  root: string,
  { place, folder }: GraphName,
): Promise<boolean> {
  const staging = join(root, `${place}.${randomUUID().slice(0, 8)}.tmp`);
  return await onDisk(root, async () => {
    await removeOutdated(root, place);
    try {
      await writeGraph(
        staging,
        model,
        weights.files.map((path) => resolve(path)),
      );
      if (graphName(model, weights, precision)?.folder !== folder) return false;
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
    if (entry.includes(".lock")) continue;
    const sources = entry.startsWith(place) ? [] : await sourcesOf(join(root, entry));
    if (sources !== null && !sources.some((path) => existsSync(path))) await remove(join(root, entry));
  }
}

/** As far as it can be: what another process has open may have to stay. */
const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true }).catch(() => {});
