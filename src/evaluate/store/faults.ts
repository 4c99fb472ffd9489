/** The database's errors as ours: it tells them apart by their sentences alone. */
import { KvError } from "../../error.ts";
import { reason } from "../../model/source/faults.ts";

/**
 * What failed on a store's file: it is no store's or broken, another process has it, or the disk refused. Errors of ours, and what
 * nobody but us can have caused, stay as they are.
 */
export function storeFault(path: string, thrown: unknown): unknown {
  if (thrown instanceof KvError) return thrown;
  const why = reason(thrown);
  const kind = why.split(":")[0] ?? "";
  if (!/^(IO|FATAL|TransactionContext|INTERNAL|Serialization|Out of Memory) Error$/.test(kind)) return thrown;
  if (/not a valid DuckDB database|version number|read enough|corrupt|checksum|serializ/i.test(why))
    return notAStore(path, why, thrown);
  if (/could not set lock/i.test(why)) return inUse(path, why, thrown);
  return diskRefused(path, why, thrown);
}

export const notAStore = (path: string, hint: string, cause?: unknown): KvError =>
  new KvError({
    code: "corrupt_file",
    path: [path],
    found: "another file",
    allowed: "a store of results",
    hint,
    cause,
  });

export const inUse = (path: string, hint: string, cause?: unknown): KvError =>
  new KvError({ code: "disk_error", path: [path], found: "in use", allowed: "open once at a time", hint, cause });

export const diskRefused = (path: string, hint: string, cause?: unknown): KvError =>
  new KvError({
    code: "disk_error",
    path: [path],
    found: "refused",
    allowed: "a file that can be read and written, where there is room",
    hint,
    cause,
  });
