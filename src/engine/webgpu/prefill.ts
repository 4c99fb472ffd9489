/** A prompt through the network on the device, chunk by chunk. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import { attentionColumns } from "../../../kernels/gpu/attention.ts";
import type { Moves } from "../../../kernels/move-rows/index.ts";
import type { PromptEntries } from "../../cache/prompt-entries.ts";
import { invalid } from "../../options.ts";
import { prefillInChunks } from "../chunked-prefill.ts";
import type { PrefillRequest, PrefillResult } from "../index.ts";
import { refuseGaps } from "../refuse-gaps.ts";
import { PromptOnDevice } from "./prompt-entries.ts";
import { floatsOf, type GpuRun } from "./run.ts";

const NOTHING = new Float32Array(0);

export async function prefill(run: GpuRun, request: PrefillRequest): Promise<PrefillResult> {
  const { arrays, config, network, flash, move, kernels, rotary, store } = run;
  const { layers, kvHeads, queryHeads: heads, headDim: size } = config;
  const cache = here(run, request.cache ?? new PromptOnDevice(store, request.tokens.length));
  try {
    refuseGaps(config, cache);
    const surroundings = { config, kernels, frequencies: rotary.tables.frequencies };
    return await prefillInChunks(surroundings, { ...request, cache }, async ({ queriesFrom, ...rows }) => {
      const count = rows.tokens.length;
      const length = cache.length + count;
      cache.expect(count);
      const moves = movesInto(run, cache, count);
      const sums: GpuTensor[] = [];
      const results = network.run({ ...rows, queries: queriesFrom !== null }, ({ layer, queries, out }, fresh) => {
        const slidingWindow = config.slidingWindow[layer] ?? null;
        const entries = cache.layer(layer);
        move(fresh, { ...moves, first: layer * kvHeads * count, count: kvHeads * count }, entries);
        const { keys, values } = entries;
        flash({ queries, keys, values, length, slidingWindow }, out);
        if (request.columnSums !== true) return;
        const shape = { heads, kvHeads, group: heads / kvHeads, queries: count, length, size };
        const seen = { stride: cache.capacity, slidingWindow, chunk: null, scale: 1 / Math.sqrt(size) };
        sums.push(
          attentionColumns(arrays, "columnSums", { shape, queries, keys, ...seen }, "return before + attention;"),
        );
      });
      const logits = rows.logitsFrom === null ? NOTHING : await floatsOf(run, results.logits);
      const queries = queriesFrom === null ? NOTHING : await floatsOf(run, results.queries);
      const columnSums: Float32Array[] = [];
      for (const array of sums) columnSums.push((await arrays.result(array)).data);
      if (logits.length + queries.length === 0) await arrays.gpu.read(results.logits.block, 0, 4); // progress is what is done
      cache.took(count);
      return { logits, queries, columnSums, [Symbol.dispose]: () => undefined };
    });
  } catch (fault) {
    if (request.cache === undefined) cache[Symbol.dispose]();
    throw fault;
  }

  /** A chunk's entries, [L * KH * count, d], go behind those of their heads. */
  function movesInto(
    { scratch }: GpuRun,
    { capacity, length }: PromptOnDevice,
    count: number,
  ): Pick<Moves, "rows" | "to"> {
    const rows = Uint32Array.from({ length: layers * kvHeads * count }, (_, i) => i);
    const to = rows.map((row) => (Math.floor(row / count) % kvHeads) * capacity + length + (row % count));
    return { rows: scratch.numbers("moved rows", rows), to: scratch.numbers("moved to", to) };
  }
}

function here({ store }: GpuRun, entries: PromptEntries): PromptOnDevice {
  if (entries instanceof PromptOnDevice && entries.isOn(store)) return entries;
  throw invalid(["prefill", "cache"], "entries of another engine", "what this engine's `prompt` made");
}
