/** Which faults pass by themselves, and how long to wait for it. */
import { HubApiError } from "@huggingface/hub";
import { KvError } from "../../error.ts";
import { HttpFault } from "./guarded-fetch.ts";
import type { Patience } from "./options.ts";

/** Whether the same request may succeed a moment later: busy servers, cut connections, silence. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof KvError) return false;
  const status = thrown instanceof HttpFault ? thrown.status : thrown instanceof HubApiError ? thrown.statusCode : null;
  return status === null || status === 408 || status === 429 || status >= 500;
}

/**
 * Waits before attempt number `failures + 1`: what the server asked for (capped), else `backoff`, doubled each time.
 * Returns early when the signal fires.
 */
export async function pause(
  failures: number,
  thrown: unknown,
  patience: Patience,
  signal: AbortSignal | null,
): Promise<void> {
  const asked = thrown instanceof HttpFault ? thrown.retryAfter : null;
  const wait = asked === null ? patience.backoff * 2 ** (failures - 1) : Math.min(asked, patience.retryAfter);
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, wait);
    signal?.addEventListener("abort", done);
  });
}
