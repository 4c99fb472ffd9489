/** Faults that every part of a download meets: the disk's, and the caller's change of mind. */
import { KvError } from "../../error.ts";

/** The first line of whatever was thrown, for the "why" of another error. */
export function reason(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? ` (${thrown.cause.message})` : "";
  return `${message.split("\n")[0] ?? ""}${cause}`.replace(/\.$/, "");
}

/** The system's error code ("ENOSPC"), or "" for errors that have none. */
export function systemCode(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
}

/** @throws KvError `aborted` once the signal has fired */
export function throwIfAborted(signal: AbortSignal | null, what: string): void {
  if (signal?.aborted) throw aborted(signal, what);
}

function aborted(signal: AbortSignal, what: string): KvError {
  return new KvError({
    code: "aborted",
    path: ["signal"],
    found: "aborted",
    allowed: `left alone until ${what} is there`,
    hint: "the next call goes on where this one stopped",
    cause: signal.reason,
  });
}

/**
 * Runs a file operation and turns the system's refusal (disk full, no permission, a file where a folder is needed) into
 * a typed error that names the path; errors of ours pass through.
 *
 * @throws KvError `disk_error`
 */
export async function onDisk<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (thrown) {
    if (thrown instanceof KvError || !/^E[A-Z0-9]+$/.test(systemCode(thrown))) throw thrown;
    throw new KvError({
      code: "disk_error",
      path: [path],
      found: systemCode(thrown),
      allowed: "a place that can be written and has room",
      hint: `${reason(thrown)}; the option cacheDir or the variable HF_HOME moves the cache elsewhere`,
      cause: thrown,
    });
  }
}
