/** A file that is read by range: one descriptor, no byte read twice, no short read taken for a whole one. */

import { closeSync, fstatSync, openSync, read, readSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { KvError, type KvErrorCode } from "../../error.ts";

export interface RangeFile extends Disposable {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Fills `into` from `offset`. @throws KvError `corrupt_file` at a short read, `disk_error`, `disposed` */
  readInto(into: Uint8Array, offset: number): void;
  /** As `readInto`, without blocking; gives the number of bytes, which is smaller at the end of the file. */
  readSome(into: Uint8Array, offset: number): Promise<number>;
  /** Changes when the file does: size, inode, and when content (ms) and inode (s) last changed. @throws KvError `disposed` */
  identity(): string;
}

const readAsync = promisify(read);

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
    async readSome(into, offset) {
      check();
      const { bytesRead } = await readAsync(descriptor, into, 0, into.length, offset);
      return bytesRead;
    },
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

const truncated = (path: string, offset: number, wanted: number, found: number): KvError =>
  new KvError({
    code: "corrupt_file",
    path: [path, `byte ${offset}`],
    found: `${found} bytes`,
    allowed: `${wanted} bytes long`,
    hint: "the file ends too early",
  });
