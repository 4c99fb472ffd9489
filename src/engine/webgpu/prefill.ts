/** A prompt through the network on the device, chunk by chunk. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import { attentionColumns } from "../../../kernels/gpu/attention.ts";
import { PromptCache } from "../../cache/prompt.ts";
import { prefillInChunks } from "../chunked-prefill.ts";
import type { PrefillRequest, PrefillResult } from "../index.ts";
import { refuseGaps } from "../refuse-gaps.ts";
import { PromptEntries } from "./prompt-entries.ts";
import { entriesOf, floatsOf, type GpuRun } from "./run.ts";

const NOTHING = new Float32Array(0);

export async function prefill(run: GpuRun, request: PrefillRequest): Promise<PrefillResult> {
  const { arrays, config, network, scratch, flash, move, kernels, rotary } = run;
  const n = request.tokens.length;
  const cache = request.cache ?? new PromptCache(config, n);
  refuseGaps(config, cache);
  using prompt = new PromptEntries(arrays, config, move, cache, n);
  const surroundings = { config, kernels, frequencies: rotary.tables.frequencies };
  return await prefillInChunks(surroundings, { ...request, cache }, async ({ queriesFrom, ...rows }) => {
    const count = rows.tokens.length;
    const length = cache.length + count;
    prompt.expect(scratch, cache.length, count);
    const sums: GpuTensor[] = [];
    const results = network.run({ ...rows, queries: queriesFrom !== null }, ({ layer, queries, out }, fresh) => {
      const slidingWindow = config.slidingWindow[layer] ?? null;
      prompt.take(layer, fresh);
      const { keys, values } = prompt.layer(layer);
      flash({ queries, keys, values, length, slidingWindow }, out);
      if (request.columnSums !== true) return;
      const { queryHeads: heads, kvHeads, headDim: size } = config;
      const shape = { heads, kvHeads, group: heads / kvHeads, queries: count, length, size };
      const seen = { stride: prompt.capacity, slidingWindow, chunk: null, scale: 1 / Math.sqrt(size) };
      sums.push(
        attentionColumns(arrays, "columnSums", { shape, queries, keys, ...seen }, "return before + attention;"),
      );
    });
    return {
      logits: rows.logitsFrom === null ? NOTHING : await floatsOf(run, results.logits),
      queries: queriesFrom === null ? NOTHING : await floatsOf(run, results.queries),
      entries: await entriesOf(run, results.entries, count),
      columnSums: await Promise.all(sums.map(async (array) => (await arrays.result(array)).data)),
      [Symbol.dispose]: () => undefined,
    };
  });
}
