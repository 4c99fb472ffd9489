/** A prompt through the network on the device, chunk by chunk. */

import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import { attentionColumns } from "../../../kernels/gpu/attention.ts";
import { throwIfAborted } from "../../abort.ts";
import { PromptCache } from "../../cache/prompt.ts";
import { ColumnTotals } from "../column-totals.ts";
import type { PrefillRequest, PrefillResult } from "../index.ts";
import { QueryTotals } from "../query-totals.ts";
import { RecentQueries } from "../recent-queries.ts";
import { refuseGaps } from "../refuse-gaps.ts";
import { PromptEntries } from "./prompt-entries.ts";
import { entriesOf, floatsOf, type GpuRun } from "./run.ts";

export async function prefill(run: GpuRun, request: PrefillRequest): Promise<PrefillResult> {
  const { arrays, config, network, scratch, flash, move, rotary } = run;
  const {
    tokens,
    chunk,
    lastQueries,
    allLogits = false,
    columnSums = false,
    moments = false,
    signal,
    onProgress,
  } = request;
  const n = tokens.length;
  const cache = request.cache ?? new PromptCache(config, n);
  const { length: held, position: start } = cache;
  refuseGaps(config, cache);
  using prompt = new PromptEntries(arrays, config, move, cache, n);
  const logits = new Float32Array((allLogits ? n : 1) * config.vocabSize);
  const recent = new RecentQueries(config, rotary.tables.frequencies, Math.min(lastQueries, n), n, start);
  const queryTotals = moments ? new QueryTotals(config, run.kernels) : null;
  const totals = columnSums ? new ColumnTotals(config, held + n) : null;
  for (let from = 0; from < n; from += chunk) {
    throwIfAborted(signal, ["signal"]);
    const count = Math.min(chunk, n - from);
    const end = from + count;
    const firstQuery = moments ? 0 : recent.firstRow(from, count);
    prompt.expect(scratch, held + from, count);
    const sums: GpuTensor[] = [];
    const rows = {
      tokens: tokens.subarray(from, end),
      positions: Int32Array.from({ length: count }, (_, i) => start + from + i),
      logitsFrom: allLogits ? 0 : end === n ? count - 1 : null,
      queries: firstQuery !== null,
    };
    const results = network.run(rows, ({ layer, queries, out }, fresh) => {
      const slidingWindow = config.slidingWindow[layer] ?? null;
      prompt.take(layer, fresh);
      const { keys, values } = prompt.layer(layer);
      flash({ queries, keys, values, length: held + end, slidingWindow }, out);
      if (totals === null) return;
      const { queryHeads: heads, kvHeads, headDim: size } = config;
      const shape = { heads, kvHeads, group: heads / kvHeads, queries: count, length: held + end, size };
      const seen = { stride: prompt.capacity, slidingWindow, chunk: null, scale: 1 / Math.sqrt(size) };
      sums.push(
        attentionColumns(arrays, "columnSums", { shape, queries, keys, ...seen }, "return before + attention;"),
      );
    });
    if (rows.logitsFrom !== null)
      logits.set(await floatsOf(run, results.logits), allLogits ? from * config.vocabSize : 0);
    cache.append(await entriesOf(run, results.entries, count), count);
    if (firstQuery !== null) {
      const queries = await floatsOf(run, results.queries);
      await queryTotals?.add(queries, start + from);
      recent.take(queries, end);
    }
    totals?.add(await Promise.all(sums.map(async (array) => (await arrays.result(array)).data)), held + end);
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
