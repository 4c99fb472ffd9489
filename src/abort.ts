/** A caller's change of mind while the network is at work. (A download says more: where the next call goes on.) */
import { KvError } from "./error.ts";

/** @throws KvError `aborted` once the signal has fired; `path` names the option */
export function throwIfAborted(signal: AbortSignal | undefined, path: readonly string[]): void {
  if (signal?.aborted !== true) return;
  throw new KvError({ code: "aborted", path, found: "aborted", allowed: "not aborted", cause: signal.reason });
}
