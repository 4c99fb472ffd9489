/** One file of a data set on the Hub, in the standard cache folder: fetched once, checked, and used without a network afterwards. */
import { join } from "node:path";
import { KvError } from "../../error.ts";
import { downloadBlob } from "./download.ts";
import { commitOf, filesOf } from "./hub-client.ts";
import type { HubModel } from "./hub-model.ts";
import { blobPath, linkIntoSnapshot, readRef, repoFolder, sizeOf, snapshotFolder, writeRef } from "./layout.ts";
import { type Settings, type SourceOptions, settingsFrom } from "./options.ts";
import { hubReference } from "./reference.ts";
import { isCommit } from "./safe-name.ts";

/**
 * @param ref "owner/name" or "owner/name@revision"; without a revision, "main": it is asked for, and where the Hub cannot be reached the
 *   last known commit is used
 * @param file its path in the repository
 * @returns where it is on this machine
 * @throws KvError `invalid_option`, `model_not_found` (no such data set, or file in it), `model_unreachable`, `access_denied`, `download_failed`,
 *   `checksum_mismatch`, `unsafe_path`, `disk_error`, `aborted`
 */
export async function datasetFile(ref: string, file: string, options: SourceOptions = {}): Promise<string> {
  const reference = hubReference(ref);
  if (reference === null) {
    const allowed = "a data set on the Hub (owner/name or owner/name@revision)";
    throw new KvError({ code: "invalid_option", path: ["dataset"], found: ref, allowed });
  }
  const settings = settingsFrom(options);
  const revision = reference.revision ?? settings.revision ?? "main";
  const dataset = { id: `datasets/${reference.id}`, revision };
  const known = isCommit(revision) ? revision : await readRef(repoFolder(settings.cacheDir, dataset.id), revision);
  const cached = known === null ? null : await inCache(dataset, known, file, settings);
  if (cached !== null && (isCommit(revision) || settings.offline)) return cached;
  if (settings.offline) throw offline(dataset, file, settings);
  try {
    return await fetched(dataset, await commitOf(dataset, settings), file, settings);
  } catch (thrown) {
    if (cached !== null && thrown instanceof KvError && thrown.code === "model_unreachable") return cached;
    throw thrown;
  }
}

async function inCache({ id }: HubModel, commit: string, file: string, settings: Settings): Promise<string | null> {
  const path = join(snapshotFolder(repoFolder(settings.cacheDir, id), commit), file);
  return (await sizeOf(path)) === null ? null : path;
}

async function fetched({ id, revision }: HubModel, commit: string, path: string, settings: Settings): Promise<string> {
  const repo = repoFolder(settings.cacheDir, id);
  const name = join(snapshotFolder(repo, commit), path);
  if ((await sizeOf(name)) === null) {
    const pinned = { id, revision: commit };
    const file = (await filesOf(pinned, settings)).find((one) => one.path === path);
    if (file === undefined) {
      const allowed = "a file of the data set";
      throw new KvError({ code: "model_not_found", path: [id, path], found: "not listed", allowed });
    }
    const blob = blobPath(repo, file.hash);
    await downloadBlob(pinned, file, blob, settings);
    await linkIntoSnapshot(blob, name);
  }
  if (!isCommit(revision) && (await readRef(repo, revision)) !== commit) await writeRef(repo, revision, commit);
  return name;
}

const offline = ({ id, revision }: HubModel, file: string, { cacheDir }: Settings): KvError =>
  new KvError({
    code: "model_unreachable",
    path: ["dataset"],
    found: `${file} of ${id}@${revision}`,
    allowed: `in ${repoFolder(cacheDir, id)}`,
    hint: "offline mode is on (HF_HUB_OFFLINE), so nothing else was tried",
  });
