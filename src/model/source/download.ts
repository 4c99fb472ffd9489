/**
 * One file of the Hub into the cache's blobs: continued where an earlier attempt stopped, checked, and only then named.
 *
 * The unfinished file has a name of ours, not huggingface_hub's "<hash>.incomplete": Python's writers hold a kind of lock
 * that JavaScript cannot take part in.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { KvError } from "../../error.ts";
import { gitBlobId, sha256File } from "./checksum.ts";
import { onDisk, reason, throwIfAborted } from "./faults.ts";
import { HttpFault, RangeIgnored } from "./guarded-fetch.ts";
import { openFile } from "./hub-file.ts";
import { type HubModel, hubError } from "./hub-model.ts";
import { sizeOf } from "./layout.ts";
import type { RemoteFile } from "./listing.ts";
import { withLock } from "./lock.ts";
import type { Settings } from "./options.ts";
import { isTransient, pause } from "./retry.ts";
import { transfer } from "./transfer.ts";

/**
 * @param blob where it belongs; the name is the file's hash
 * @returns whether anything was fetched
 * @throws KvError `download_failed`, `checksum_mismatch`, `access_denied`, `disk_error`, `aborted`
 */
export async function downloadBlob(
  model: HubModel,
  file: RemoteFile,
  blob: string,
  settings: Settings,
): Promise<boolean> {
  if ((await sizeOf(blob)) === file.size) return false;
  await onDisk(blob, () => mkdir(dirname(blob), { recursive: true }));
  return await withLock(`${blob}.pyramidkv.lock`, settings.signal, async () => {
    if ((await sizeOf(blob)) === file.size) return false;
    const partial = `${blob}.pyramidkv.incomplete`;
    const continued = ((await sizeOf(partial)) ?? 0) > 0;
    await complete(model, file, partial, settings);
    if (!(await isIntact(partial, file, settings))) {
      await onDisk(partial, () => rm(partial, { force: true }));
      // The fault may lie in what an earlier attempt left: once from the beginning, then it is the server's.
      if (continued) await complete(model, file, partial, settings);
      if (!continued || !(await isIntact(partial, file, settings))) throw await corrupt(model, file, partial);
    }
    await onDisk(blob, () => rename(partial, blob));
    return true;
  });
}

async function isIntact(path: string, { size, hash }: RemoteFile, { signal }: Settings): Promise<boolean> {
  const digest = await onDisk(path, () =>
    hash.length === 64 ? sha256File(path, signal) : gitBlobId(path, size, signal),
  );
  throwIfAborted(signal, path);
  return digest === hash;
}

async function corrupt({ id }: HubModel, { path, hash, size }: RemoteFile, partial: string): Promise<KvError> {
  await onDisk(partial, () => rm(partial, { force: true }));
  const allowed = `the file of ${size} bytes with hash ${hash}`;
  return new KvError({
    code: "checksum_mismatch",
    path: [id, path],
    found: "other bytes",
    allowed,
    hint: "what came was removed",
  });
}

/** Attempts until all bytes are there; those that bring nothing new are counted. */
async function complete(model: HubModel, file: RemoteFile, partial: string, settings: Settings): Promise<void> {
  const { patience, signal } = settings;
  if (file.size === 0) return await onDisk(partial, () => writeFile(partial, ""));
  let best = 0;
  for (let failures = 0; ; ) {
    const have = await usable(partial, file.size);
    if (have > best) failures = 0;
    best = Math.max(best, have);
    if (have === file.size) return;
    throwIfAborted(signal, file.path);
    const fault = await attempt(model, file, partial, have, settings);
    if (fault === null) return;
    throwIfAborted(signal, file.path);
    if (fault instanceof RangeIgnored) await onDisk(partial, () => rm(partial, { force: true }));
    if (!isTransient(fault)) throw hubError(fault, model, settings);
    if (++failures >= patience.attempts) throw failed(model, file, failures, fault);
    await pause(failures, fault, patience, signal);
  }
}

/** Bytes of an earlier attempt that can be continued; more than the file has are worth nothing. */
async function usable(partial: string, size: number): Promise<number> {
  const have = (await sizeOf(partial)) ?? 0;
  if (have <= size) return have;
  await onDisk(partial, () => rm(partial, { force: true }));
  return 0;
}

/** @returns what stopped it, or null */
async function attempt(
  model: HubModel,
  file: RemoteFile,
  partial: string,
  start: number,
  settings: Settings,
): Promise<unknown> {
  const { stall } = settings.patience;
  const { path, size } = file;
  const onBytes = (received: number) =>
    settings.onProgress({ file: path, received, total: size, source: "Hugging Face Hub" });
  try {
    using source = await openFile(model, file, start, settings);
    const { stream, activity } = source;
    await transfer({ stream, activity, path: partial, start, size, stall, onBytes }).catch((thrown: unknown) => {
      throw thrown instanceof Error ? thrown : (source.fault() ?? thrown);
    });
    return null;
  } catch (thrown) {
    if (thrown instanceof KvError) throw thrown;
    return thrown;
  }
}

function failed({ id }: HubModel, { path, size }: RemoteFile, failures: number, fault: unknown): KvError {
  const status = fault instanceof HttpFault ? `status ${fault.status}` : "interrupted";
  return new KvError({
    code: "download_failed",
    path: [id, path],
    found: status,
    allowed: `downloadable (${size} bytes)`,
    hint: `${failures} attempts in a row brought nothing new; the last: ${reason(fault)}. What came is kept for the next call`,
    cause: fault,
  });
}
