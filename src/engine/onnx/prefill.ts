/** A prompt through the graph, chunk by chunk, at its beginning or after what earlier tokens left. */
import { throwIfAborted } from "../../abort.ts";
import { PromptCache } from "../../cache/prompt.ts";
import { release } from "../../onnx/session.ts";
import { ColumnTotals } from "../column-totals.ts";
import { embeddingsOf } from "../embeddings.ts";
import type { PrefillRequest, PrefillResult } from "../index.ts";
import { QueryTotals } from "../query-totals.ts";
import { RecentQueries } from "../recent-queries.ts";
import { refuseGaps } from "../refuse-gaps.ts";
import { chunkFeeds } from "./feeds.ts";
import { YES } from "./flags.ts";
import { sumsOf } from "./layer-attention.ts";
import { rowFeeds } from "./rows.ts";
import { floats, type Run } from "./run.ts";

/**
 * With column sums, a chunk's probabilities [H, S, n] are in memory: 64 MiB of them, at most, where that leaves chunks of a
 * sensible size. At n = 8000 chunks of 256 cost a tenth over no sums at all, of 128 a sixth, of 64 a third (2026-11).
 */
const PROBABILITIES = 2 ** 24;
const SMALLEST_CHUNK = 64;

export async function prefill(run: Run, request: PrefillRequest): Promise<PrefillResult> {
  const { config, session, tables, idle } = run;
  const { tokens, lastQueries, allLogits = false, columnSums = false, moments = false, signal, onProgress } = request;
  const n = tokens.length;
  const cache = request.cache ?? new PromptCache(config, n);
  const { length: held, position: start } = cache;
  refuseGaps(config, cache);
  const affordable = Math.max(SMALLEST_CHUNK, Math.floor(PROBABILITIES / (config.queryHeads * (held + n))));
  const chunk = columnSums ? Math.min(request.chunk, affordable) : request.chunk;
  const logits = new Float32Array((allLogits ? n : 1) * config.vocabSize);
  const recent = new RecentQueries(config, tables.frequencies, Math.min(lastQueries, n), n, start);
  const queryTotals = moments ? new QueryTotals(config, run.kernels) : null;
  const totals = columnSums ? new ColumnTotals(config, held + n) : null;
  const sums = columnSums ? config.slidingWindow.map((_, layer) => sumsOf(layer)) : [];
  for (let from = 0; from < n; from += chunk) {
    throwIfAborted(signal, ["signal"]);
    const count = Math.min(chunk, n - from);
    const end = from + count;
    const rows = {
      embeddings: embeddingsOf(config, run.weights, tokens.subarray(from, end)),
      positions: Int32Array.from({ length: count }, (_, i) => start + from + i),
      logitsFrom: allLogits ? 0 : end === n ? count - 1 : null,
      queriesFrom: moments ? 0 : recent.firstRow(from, count),
    };
    const feeds = {
      ...idle,
      ...(columnSums ? {} : { flash: YES }),
      ...chunkFeeds(config, cache, count),
      ...rowFeeds(config, tables, rows),
    };
    const out = await session.run(feeds, ["logits", "queries", "entries", ...sums]);
    logits.set(floats(out, "logits"), allLogits ? from * config.vocabSize : 0);
    cache.append(floats(out, "entries"), count);
    await queryTotals?.add(floats(out, "queries"), start + from);
    recent.take(floats(out, "queries"), end);
    totals?.add(
      sums.map((name) => floats(out, name)),
      held + end,
    );
    release(out);
    onProgress?.(end, n);
  }
  return {
    layers: cache.layers(),
    logits,
    queries: recent.layers,
    columnSums: totals?.layers() ?? null,
    moments: queryTotals?.layers ?? null,
  };
}
