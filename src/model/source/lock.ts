/**
 * One writer at a time for one file, across processes: a lock file that its holder touches while it lives.
 *
 * A holder that died is recognised by its process id (same machine) or by a lock gone untouched; whoever takes over
 * removes it under a second, momentary lock, so that two waiters cannot both believe they won.
 */
import { mkdir, open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { onDisk, systemCode, throwIfAborted } from "./faults.ts";

const TOUCH_MS = 2_000;
/** Well above TOUCH_MS: a holder's thread may be busy with a network step for seconds. */
const STALE_MS = 30_000;
const POLL_MS = 50;

/** Runs `work` while holding `path`; waits as long as another live holder has it. @throws KvError `aborted`, `disk_error` */
export async function withLock<T>(path: string, signal: AbortSignal | null, work: () => Promise<T>): Promise<T> {
  await onDisk(path, () => mkdir(dirname(path), { recursive: true }));
  while (!(await onDisk(path, () => acquire(path)))) {
    throwIfAborted(signal, path);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const touch = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, TOUCH_MS);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  if (await create(path)) return true;
  if (!(await isStale(path))) return false;
  const takeover = `${path}.takeover`;
  if (!(await create(takeover))) {
    if (await isStale(takeover)) await rm(takeover, { force: true });
    return false;
  }
  try {
    if (!(await isStale(path))) return false;
    await rm(path, { force: true });
    return await create(path);
  } finally {
    await rm(takeover, { force: true });
  }
}

async function create(path: string): Promise<boolean> {
  try {
    await using file = await open(path, "wx");
    await file.writeFile(`${process.pid} ${hostname()}\n`);
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === "EEXIST") return false;
    throw thrown;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    const [pid = "", host = ""] = text.trim().split(" ");
    const gone = host === hostname() && /^\d+$/.test(pid) && !isAlive(Number(pid));
    return gone || Date.now() - mtimeMs > STALE_MS;
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return false;
    throw thrown;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCode(thrown) === "EPERM";
  }
}
