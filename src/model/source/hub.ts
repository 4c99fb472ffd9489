/**
 * A model on the Hugging Face Hub, in the standard cache folder.
 *
 * A commit never changes, so a cached one is used without asking; a branch or tag is asked for, and its last known commit
 * is used when the Hub cannot be reached.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KvError } from "../../error.ts";
import { downloadBlob } from "./download.ts";
import { onDisk } from "./faults.ts";
import { commitOf, filesOf } from "./hub-client.ts";
import type { HubModel } from "./hub-model.ts";
import { blobPath, linkIntoSnapshot, readRef, repoFolder, snapshotFolder, writeRef } from "./layout.ts";
import { INDEX, neededFiles, type RemoteFile, shardNames } from "./listing.ts";
import type { ModelLocation } from "./location.ts";
import type { Settings } from "./options.ts";
import { isCommit } from "./safe-name.ts";
import { inspectSnapshot } from "./snapshot.ts";

/**
 * The cached model, or null if it is not whole.
 *
 * @param optional files it may lack: a model without a tokenizer still runs on token ids, where there is no other
 */
export async function cachedSnapshot(
  { id, revision }: HubModel,
  { cacheDir, weights }: Settings,
  optional: readonly string[] = [],
): Promise<ModelLocation | null> {
  const repo = repoFolder(cacheDir, id);
  const commit = isCommit(revision) ? revision : await readRef(repo, revision);
  if (commit === null) return null;
  const { path, missing } = await inspectSnapshot(snapshotFolder(repo, commit), weights);
  return missing.every((name) => optional.includes(name)) ? { path, id, revision: commit, origin: "cache" } : null;
}

/**
 * The model, fetched where it is not cached.
 *
 * @throws KvError see `resolveModel`
 */
export async function fetchSnapshot(model: HubModel, settings: Settings): Promise<ModelLocation> {
  const cached = isCommit(model.revision) ? await cachedSnapshot(model, settings) : null;
  if (cached !== null) return cached;
  if (settings.offline) return await lastResort(model, settings, offline(model, settings));
  let commit: string;
  try {
    commit = await commitOf(model, settings);
  } catch (thrown) {
    if (!(thrown instanceof KvError) || thrown.code !== "model_unreachable") throw thrown;
    return await lastResort(model, settings, thrown);
  }
  return await download(model, commit, settings);
}

async function lastResort(model: HubModel, settings: Settings, otherwise: KvError): Promise<ModelLocation> {
  const cached = await cachedSnapshot(model, settings, ["tokenizer.json"]);
  if (cached === null) throw otherwise;
  return cached;
}

function offline({ id, revision }: HubModel, { cacheDir }: Settings): KvError {
  return new KvError({
    code: "model_unreachable",
    path: ["model"],
    found: `${id}@${revision}`,
    allowed: `whole in ${repoFolder(cacheDir, id)}`,
    hint: "offline mode is on (HF_HUB_OFFLINE, or the option offline), so nothing else was tried",
  });
}

async function download({ id, revision }: HubModel, commit: string, settings: Settings): Promise<ModelLocation> {
  const pinned = { id, revision: commit };
  const repo = repoFolder(settings.cacheDir, id);
  const folder = snapshotFolder(repo, commit);
  let fetched = false;
  const get = async (file: RemoteFile): Promise<string> => {
    const [blob, path] = [blobPath(repo, file.hash), join(folder, file.path)];
    fetched = (await downloadBlob(pinned, file, blob, settings)) || fetched;
    await linkIntoSnapshot(blob, path);
    return path;
  };

  const files = await filesOf(pinned, settings);
  const needed = neededFiles(files, settings.weights, id);
  if (needed.kind !== "gguf") for (const file of needed.files) await get(file);
  if (needed.kind === "sharded") {
    const index = await get(needed.index);
    const names = shardNames(await onDisk(index, () => readFile(index, "utf8")), id);
    for (const shard of names.map((name) => listed(name, files, id))) await get(shard);
  }
  const path = needed.kind === "gguf" ? await get(needed.file) : folder;
  // Last, so that a branch's earlier commit stays usable until the new one is whole.
  // And only if it moved, so that a read-only cache will do.
  if (!isCommit(revision) && (await readRef(repo, revision)) !== commit) await writeRef(repo, revision, commit);
  return { path, id, revision: commit, origin: fetched ? "hub" : "cache" };
}

function listed(name: string, files: readonly RemoteFile[], id: string): RemoteFile {
  const file = files.find(({ path }) => path === name);
  if (file !== undefined) return file;
  throw new KvError({
    code: "corrupt_file",
    path: [id, INDEX],
    found: name,
    allowed: "the name of a file in the repository",
  });
}
