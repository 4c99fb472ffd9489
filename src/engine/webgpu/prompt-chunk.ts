/** A chunk of a prompt on the device: it attends to what is held before it and to itself, and is held then. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import { attentionColumns } from "../../../kernels/gpu/attention.ts";
import type { Moves } from "../../../kernels/move-rows/index.ts";
import type { Chunk, ChunkResult } from "../chunked-prefill.ts";
import type { PromptOnDevice } from "./prompt-entries.ts";
import type { Attend, Results } from "./rows.ts";
import { floatsOf, type GpuRun } from "./run.ts";

/** Which layers of the network the prompt's entries are of, and what is to be seen of them. */
export interface Seen {
  readonly firstLayer: number;
  readonly columnSums: boolean;
}

const NOTHING = new Float32Array(0);

/** @param record records the chunk's run through these layers */
export async function runChunk(
  run: GpuRun,
  cache: PromptOnDevice,
  { logitsFrom, queriesFrom, positions }: Omit<Chunk, "tokens">,
  { firstLayer, columnSums }: Seen,
  record: (attend: Attend) => Results,
): Promise<ChunkResult> {
  const { arrays, config, flash, move } = run;
  const { kvHeads, queryHeads: heads, headDim: size } = config;
  const count = positions.length;
  const length = cache.length + count;
  cache.expect(count);
  const moves = movesBehind(run, cache, count);
  const sums: GpuTensor[] = [];
  const results = record(({ layer, queries, out }, fresh) => {
    const slidingWindow = config.slidingWindow[layer] ?? null;
    const own = layer - firstLayer;
    const entries = cache.layer(own);
    move(fresh, { ...moves, first: own * kvHeads * count, count: kvHeads * count }, entries);
    const { keys, values } = entries;
    flash({ queries, keys, values, length, slidingWindow }, out);
    if (!columnSums) return;
    const shape = { heads, kvHeads, group: heads / kvHeads, queries: count, length, size };
    const seen = { stride: cache.capacity, slidingWindow, chunk: null, scale: 1 / Math.sqrt(size) };
    sums.push(attentionColumns(arrays, "columnSums", { shape, queries, keys, ...seen }, "return before + attention;"));
  });
  const logits = logitsFrom === null ? NOTHING : await floatsOf(run, results.logits);
  const queries = queriesFrom === null ? NOTHING : await floatsOf(run, results.queries);
  const totals: Float32Array[] = [];
  for (const array of sums) totals.push((await arrays.result(array)).data);
  if (logits.length + queries.length === 0) await arrays.gpu.read(results.logits.block, 0, 4); // progress is what is done
  cache.took(count);
  return { logits, queries, columnSums: totals, [Symbol.dispose]: () => undefined };
}

/** A chunk's entries, [L * KH * count, d], go behind those of their heads. */
function movesBehind(
  { config, scratch }: GpuRun,
  { capacity, length, places }: PromptOnDevice,
  count: number,
): Pick<Moves, "rows" | "to"> {
  const { kvHeads } = config;
  const rows = Uint32Array.from({ length: places.length * kvHeads * count }, (_, i) => i);
  const to = rows.map((row) => (Math.floor(row / count) % kvHeads) * capacity + length + (row % count));
  return { rows: scratch.numbers("moved rows", rows), to: scratch.numbers("moved to", to) };
}
