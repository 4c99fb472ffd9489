/** A file on the disk, read by range: one descriptor, no byte read twice, no short read taken for a whole one. */

import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, read, readSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { KvError, type KvErrorCode } from "../../error.ts";
import { type RangeFile, truncated } from "./range-file.ts";

const readAsync = promisify(read);
const HASHED = 4 << 20;

/**
 * Opens a regular file for reading.
 *
 * @throws KvError `model_not_found`, `access_denied`, `disk_error`
 */
export function openRangeFile(path: string): RangeFile {
  const descriptor = attempt(path, () => {
    // Before opening, because opening a named pipe would wait for its writer.
    if (!statSync(path).isFile()) throw notAFile(path);
    return openSync(path, "r");
  });
  let open = true;
  const check = (): void => {
    if (!open) throw new KvError({ code: "disposed", path: [path], found: "a closed file", allowed: "open when read" });
  };
  const size = attempt(path, () => fstatSync(descriptor).size);
  return {
    path,
    size,
    readInto(into, offset) {
      check();
      for (let done = 0; done < into.length; ) {
        const count = attempt(path, () => readSync(descriptor, into, done, into.length - done, offset + done));
        if (count === 0) throw truncated(path, offset, into.length, done);
        done += count;
      }
    },
    async sha256() {
      const hash = createHash("sha256");
      const part = new Uint8Array(HASHED);
      for (let at = 0; at < size; ) {
        check();
        const { bytesRead } = await readAsync(descriptor, part, 0, part.length, at);
        if (bytesRead === 0) break;
        hash.update(part.subarray(0, bytesRead));
        at += bytesRead;
      }
      return hash.digest("hex");
    },
    // Size, inode, and when content (ms) and inode (s) last changed.
    identity() {
      check();
      // The descriptor's, because the path may lead to another file by now; ctime, because copies may carry an old mtime.
      const { size, ino, mtimeNs, ctimeNs } = attempt(path, () => fstatSync(descriptor, { bigint: true }));
      return [size, ino, mtimeNs / 1_000_000n, ctimeNs / 1_000_000_000n].join(" "); // as precisely as Deno tells them
    },
    [Symbol.dispose]() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** Runs a file operation, its system error turned into ours. @throws KvError `model_not_found`, `access_denied`, `disk_error` */
export function attempt<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    if (cause instanceof KvError) throw cause;
    const found = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new KvError({ code: codes[found] ?? "disk_error", path: [path], found, allowed: "a readable file", cause });
  }
}

const codes: Readonly<Record<string, KvErrorCode>> = {
  ENOENT: "model_not_found",
  ENOTDIR: "model_not_found",
  EACCES: "access_denied",
  EPERM: "access_denied",
};

const notAFile = (path: string): KvError =>
  new KvError({ code: "model_not_found", path: [path], found: "not a regular file", allowed: "a file" });
