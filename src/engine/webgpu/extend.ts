/** Several tokens of one sequence over a compressed cache, chunk by chunk. */
import { throwIfAborted } from "../../abort.ts";
import type { ExtendRequest } from "../index.ts";
import { untilSettling } from "../until-settling.ts";
import { runPaged } from "./paged-run.ts";
import { floatsOf, type GpuRun } from "./run.ts";

export async function extend(
  run: GpuRun,
  { tokens, chunk, cache, signal, onProgress }: ExtendRequest,
): Promise<Float32Array> {
  for (let from = 0; from < tokens.length; ) {
    throwIfAborted(signal, ["signal"]);
    const own = [...tokens.subarray(from, from + Math.min(chunk, untilSettling(cache)))];
    const results = await runPaged(run, [{ cache, tokens: own }], { logitsFrom: own.length - 1, queries: false });
    const logits = await floatsOf(run, results.logits);
    for (const _ of own) await cache.advance(logits);
    from += own.length;
    onProgress?.(from, tokens.length);
  }
  return cache.logits;
}
