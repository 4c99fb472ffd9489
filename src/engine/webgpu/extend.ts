/** Several tokens of one sequence over a compressed cache, chunk by chunk. */
import { throwIfAborted } from "../../abort.ts";
import type { ExtendRequest } from "../index.ts";
import { rowOf } from "../row-of.ts";
import { runPaged } from "./paged-run.ts";
import { entriesOf, floatsOf, type GpuRun } from "./run.ts";

export async function extend(
  run: GpuRun,
  { tokens, chunk, cache, signal, onProgress }: ExtendRequest,
): Promise<Float32Array> {
  for (let from = 0; from < tokens.length; from += chunk) {
    throwIfAborted(signal, ["signal"]);
    const own = [...tokens.subarray(from, from + chunk)];
    const results = runPaged(run, [{ cache, tokens: own }], { logitsFrom: own.length - 1, queries: false });
    const logits = await floatsOf(run, results.logits);
    const entries = await entriesOf(run, results.entries, own.length);
    for (let row = 0; row < own.length; row++)
      cache.append(rowOf(entries, row, own.length, run.config.headDim), logits);
    onProgress?.(from + own.length, tokens.length);
  }
  return cache.logits;
}
