/**
 * The Hub's standard cache, shared with Python's huggingface_hub:
 * models--owner--name/{refs/<revision> = commit, snapshots/<commit>/<path> -> ../../blobs/<hash>}.
 */
import { randomUUID } from "node:crypto";
import { copyFile, link, mkdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { getRepoFolderName } from "@huggingface/hub";
import { onDisk } from "./faults.ts";
import { repoOf } from "./hub-model.ts";
import { isCommit } from "./safe-name.ts";

/** @param id a validated "owner/name" or "datasets/owner/name" */
export const repoFolder = (cacheDir: string, id: string): string => join(cacheDir, getRepoFolderName(repoOf(id)));

export const blobPath = (repo: string, hash: string): string => join(repo, "blobs", hash);

export const snapshotFolder = (repo: string, commit: string): string => join(repo, "snapshots", commit);

/** The commit that a branch or tag stood for when it was last asked; null if it never was. */
export async function readRef(repo: string, revision: string): Promise<string | null> {
  const text = await readFile(join(repo, "refs", revision), "utf8").catch(() => "");
  return isCommit(text.trim()) ? text.trim() : null;
}

/** @throws KvError `disk_error` */
export async function writeRef(repo: string, revision: string, commit: string): Promise<void> {
  const path = join(repo, "refs", revision);
  await onDisk(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const fresh = scratch(path);
    await writeFile(fresh, commit);
    await rename(fresh, path);
  });
}

/**
 * Gives a blob its name in a snapshot: a relative symbolic link, or a hard link or copy on file systems without them.
 *
 * @throws KvError `disk_error`
 */
export async function linkIntoSnapshot(blob: string, path: string): Promise<void> {
  await onDisk(path, async () => {
    const [there, wanted] = await Promise.all([realpath(path).catch(() => null), realpath(blob)]);
    if (there === wanted) return;
    await mkdir(dirname(path), { recursive: true });
    const fresh = scratch(path);
    await symlink(relative(dirname(path), blob), fresh)
      .catch(() => link(blob, fresh))
      .catch(() => copyFile(blob, fresh));
    await rename(fresh, path).finally(() => rm(fresh, { force: true }));
  });
}

/** Bytes of a file, links followed; null when there is none that can be seen. */
export async function sizeOf(path: string): Promise<number | null> {
  const entry = await stat(path).catch(() => null);
  return entry?.isFile() ? entry.size : null;
}

/** A name beside `path` of this call alone, whoever else writes it at the same time: what is renamed into place is never seen half-written. */
const scratch = (path: string): string => `${path}.${randomUUID().slice(0, 8)}.tmp`;
