/** A prompt chunk by chunk, whatever runs a chunk: what goes in, and what is collected of what comes out. */
import type { Kernels } from "../../kernels/index.ts";
import { throwIfAborted } from "../abort.ts";
import type { PromptEntries } from "../cache/prompt-entries.ts";
import type { ModelConfig } from "../model/config.ts";
import { ColumnTotals } from "./column-totals.ts";
import type { PrefillRequest, PrefillResult } from "./index.ts";
import { QueryTotals } from "./query-totals.ts";
import { RecentQueries } from "./recent-queries.ts";

/** S tokens that come after what the cache holds. */
export interface Chunk {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** The first rows whose logits and queries are wanted; null for none. */
  readonly logitsFrom: number | null;
  readonly queriesFrom: number | null;
}

/** What a chunk leaves beside its entries, which the cache has taken in; it is copied before it is disposed. */
export interface ChunkResult extends Disposable {
  /** [rows from logitsFrom, vocab] */
  readonly logits: Float32Array;
  /** [L, rows from queriesFrom or all, H * d] as they meet RoPE; changed where they lie. */
  readonly queries: Float32Array;
  /** Of each layer, if they were asked for, what every entry held so far received: [H, P + S]. */
  readonly columnSums: readonly Float32Array[];
}

export interface Surroundings {
  readonly config: ModelConfig;
  readonly kernels: Kernels;
  /** RoPE's of each layer: [d / 2]. */
  readonly frequencies: readonly Float64Array[];
}

/** @throws KvError `aborted`, and what a chunk throws */
export async function prefillInChunks(
  { config, kernels, frequencies }: Surroundings,
  request: PrefillRequest & { readonly cache: PromptEntries },
  runChunk: (chunk: Chunk) => Promise<ChunkResult>,
): Promise<PrefillResult> {
  const { tokens, chunk, cache, lastQueries, signal, onProgress } = request;
  const { allLogits = false, columnSums = false, moments = false } = request;
  const n = tokens.length;
  const { length: held, position: start } = cache;
  const logits = new Float32Array((allLogits ? n : 1) * config.vocabSize);
  const recent = new RecentQueries(config, frequencies, Math.min(lastQueries, n), n, start);
  const queryTotals = moments ? new QueryTotals(config, kernels) : null;
  const totals = columnSums ? new ColumnTotals(config, held + n) : null;
  for (let from = 0; from < n; from += chunk) {
    throwIfAborted(signal, ["signal"]);
    const count = Math.min(chunk, n - from);
    const end = from + count;
    using out = await runChunk({
      tokens: tokens.subarray(from, end),
      positions: Int32Array.from({ length: count }, (_, i) => start + from + i),
      logitsFrom: allLogits ? 0 : end === n ? count - 1 : null,
      queriesFrom: moments ? 0 : recent.firstRow(from, count),
    });
    logits.set(out.logits, allLogits ? from * config.vocabSize : 0);
    await queryTotals?.add(out.queries, start + from);
    recent.take(out.queries, end);
    totals?.add(out.columnSums, held + end);
    onProgress?.(end, n);
  }
  return {
    entries: cache,
    logits,
    queries: recent.layers,
    columnSums: totals?.layers() ?? null,
    moments: queryTotals?.layers ?? null,
  };
}
