/** Where the files come from: a folder of the user's, or the Hub; plain, or in the archive that the Hub has. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { openPromise } from "yauzl";
import { KvError } from "../../../error.ts";
import { datasetFile } from "../../../model/source/dataset.ts";
import { reason, systemCode } from "../../../model/source/faults.ts";
import { progressView } from "../../../model/source/progress.ts";
import { invalid } from "../../../options.ts";

export interface DataFile {
  /** For messages: the file, or the archive and the name in it. */
  readonly path: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file by its name.
 *
 * @param folder holds it itself, in `data/`, or in the archive; null for the Hub
 * @param hub "owner/name" or "owner/name@revision"
 * @param archive the zip that has it on the Hub; null where the Hub has it as it is
 * @throws KvError `invalid_option` where the folder has no such file, and as `datasetFile`
 */
export async function openData(
  task: string,
  { folder, hub }: { readonly folder: string | null; readonly hub: string },
  name: string,
  archive: string | null,
): Promise<DataFile> {
  const places = [name, join("data", name), ...(archive === null ? [] : [archive])];
  const path = folder === null ? await fetched(hub, archive ?? name) : await firstIn(folder, places);
  if (path === null) throw invalid([task, "folder"], folder, `a folder that has ${places.join(" or ")}`);
  if (basename(path) !== archive) return { path, chunks: readable(path, createReadStream(path)) };
  return { path: join(path, name), chunks: readable(path, entryOf(path, name)) };
}

async function fetched(hub: string, file: string): Promise<string> {
  using bar = progressView();
  return await datasetFile(hub, file, { onProgress: bar.onProgress });
}

async function firstIn(folder: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const path = join(folder, name);
    if ((await stat(path).catch(() => null))?.isFile()) return path;
  }
  return null;
}

/** The bytes of a file in a zip archive, in whatever folder of it. */
async function* entryOf(path: string, name: string): AsyncGenerator<Uint8Array> {
  const archive = await openPromise(path, { autoClose: false });
  try {
    for await (const entry of archive.eachEntry()) {
      if (basename(entry.fileName) === name) return yield* await archive.openReadStreamPromise(entry);
    }
  } finally {
    archive.close();
  }
  throw new KvError({ code: "corrupt_file", path: [path], found: "no such entry", allowed: `an archive with ${name}` });
}

/** The same bytes; what the system or the archive refuses becomes an error that names the file. */
async function* readable(path: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    if (cause instanceof KvError) throw cause;
    const [found, system] = [reason(cause), /^E[A-Z0-9]+$/.test(systemCode(cause))];
    if (system)
      throw new KvError({ code: "disk_error", path: [path], found, allowed: "a file that can be read", cause });
    throw new KvError({ code: "corrupt_file", path: [path], found, allowed: "a zip archive", cause });
  }
}
