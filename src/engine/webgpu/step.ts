/** Decoding steps on the device: one token of each sequence, in one run. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { KvCache } from "../../cache/cache.ts";
import type { TokenSight } from "../../cache/decider.ts";
import { headLength } from "../../cache/layer.ts";
import type { Sampling, Step } from "../index.ts";
import { RecentQueries } from "../recent-queries.ts";
import { refuseTwice } from "../refuse-twice.ts";
import { rowOf } from "../row-of.ts";
import { runPaged } from "./paged-run.ts";
import { floatsOf, type GpuRun } from "./run.ts";

/** All that may run together do; a sequence whose attention is watched runs alone. */
export async function step(run: GpuRun, batch: readonly Step[]): Promise<readonly Float32Array[]> {
  refuseTwice(batch);
  const watched = batch.filter(({ sees }) => sees === "attention");
  await together(
    run,
    batch.filter(({ sees }) => sees !== "attention"),
  );
  for (const one of watched) await alone(run, one);
  return batch.map(({ cache }) => cache.logits);
}

/** The same, but for logits, which stay on the device: the tokens drawn from them. */
export async function draw(
  run: GpuRun,
  batch: readonly Step[],
  sampling: Sampling,
  draws: readonly number[],
): Promise<readonly number[]> {
  refuseTwice(batch);
  // Written before anything is recorded, which would be handed over in two parts.
  const shares = run.scratch.numbers("draws", Float32Array.from(draws, below1));
  const { results, sights } = await ran(run, batch);
  const out = run.scratch.of("drawn tokens", batch.length);
  run.sample(results.logits, shares, sampling, out);
  const tokens = new Uint32Array(await run.arrays.gpu.read(out.block, 0, batch.length * Uint32Array.BYTES_PER_ELEMENT));
  for (const [i, { cache }] of batch.entries()) await cache.advance(null, sights[i]);
  return [...tokens];
}

async function together(run: GpuRun, batch: readonly Step[]): Promise<void> {
  if (batch.length === 0) return;
  const { vocabSize } = run.config;
  const { results, sights } = await ran(run, batch);
  const logits = await floatsOf(run, results.logits);
  // Copies, because a view would keep the whole batch's logits alive for as long as one of its sequences.
  for (const [i, { cache }] of batch.entries())
    await cache.advance(logits.slice(i * vocabSize, (i + 1) * vocabSize), sights[i]);
}

/** Runs a token of each sequence, and brings back what was to be seen of them. */
async function ran(run: GpuRun, batch: readonly Step[]) {
  const queries = batch.some(({ sees }) => sees === "queries");
  const sequences = batch.map(({ cache, token }) => ({ cache, tokens: [token] }));
  const results = await runPaged(run, sequences, { logitsFrom: 0, queries });
  const seen = queries ? await floatsOf(run, results.queries) : null;
  const sights = batch.map(({ cache, sees }, i) =>
    sees === "queries" && seen !== null ? queriesOf(run, cache, seen, i, batch.length) : NOTHING_SEEN,
  );
  return { results, sights };
}

/** In fp32 a number just below 1 may become 1, which is the share of no token. */
const below1 = (share: number): number => Math.min(Math.fround(share), 1 - 2 ** -24);

const NOTHING_SEEN: TokenSight = { queries: null, attention: null };

function queriesOf(
  { config, rotary }: GpuRun,
  cache: KvCache,
  all: Float32Array,
  row: number,
  count: number,
): TokenSight {
  const { layers, queryHeads, headDim } = config;
  const recent = new RecentQueries(config, rotary.tables.frequencies, 1, 1, cache.length);
  recent.take(rowOf(all, row, count, queryHeads * headDim), 1);
  return { queries: recent.layers.slice(0, layers), attention: null };
}

async function alone(run: GpuRun, { cache, token }: Step): Promise<void> {
  const { arrays, config } = run;
  const scores: GpuTensor[] = [];
  const results = await runPaged(
    run,
    [{ cache, tokens: [token] }],
    { logitsFrom: 0, queries: false },
    (layer, columns) => {
      const array = arrays.empty(`scores of layer ${layer}`, config.queryHeads, columns);
      scores.push(array);
      return array;
    },
  );
  const logits = await floatsOf(run, results.logits);
  const attention: (readonly Float32Array[])[] = [];
  for (const [layer, array] of scores.entries())
    attention.push(massesOf(run, cache, layer, await arrays.result(array)));
  await cache.advance(logits, { queries: null, attention });
}

/** From scores [H, columns] to each KV head's attention to its entries, summed over the query heads that read it. */
function massesOf(
  { config }: GpuRun,
  cache: KvCache,
  layer: number,
  { data, dims }: { readonly data: Float32Array; readonly dims: readonly number[] },
): readonly Float32Array[] {
  const { queryHeads, kvHeads } = config;
  const [, columns = 0] = dims;
  const group = queryHeads / kvHeads;
  const older = Array.from({ length: kvHeads }, (_, head) => compactCount(cache, layer, head));
  const first = Math.max(...older); // the column after those of compact entries
  return Array.from({ length: kvHeads }, (_, kvHead) => {
    const count = (cache.lengths[layer]?.[kvHead] ?? 0) + 1;
    const compact = older[kvHead] ?? 0;
    const [masses, scores] = [new Float32Array(count), new Float32Array(count)];
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      const row = data.subarray(head * columns, (head + 1) * columns);
      scores.set(row.subarray(0, compact));
      scores.set(row.subarray(first, first + count - compact), compact);
      const highest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
      const weights = Float64Array.from(scores, (score) => Math.exp(score - highest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let i = 0; i < count; i++) masses[i] = (masses[i] ?? 0) + (weights[i] ?? 0) / total;
    }
    return masses;
  });
}

function compactCount({ compact }: KvCache, layer: number, head: number): number {
  const places = compact?.layers[layer];
  return places === undefined ? 0 : headLength(places, head);
}
