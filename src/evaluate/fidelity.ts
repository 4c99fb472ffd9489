/**
 * How near attention on what a cache keeps is to full attention, seen by the prompt's last queries: smooth measures, where an answer is
 * only right or wrong.
 */
import type { KvCache } from "../cache/cache.ts";
import { readHead } from "../cache/read.ts";
import type { Context } from "../context.ts";
import { KvError } from "../error.ts";
import { queriesIn } from "../packing.ts";
import type { Tensor } from "../tensor.ts";
import { type Attended, attend } from "./attend.ts";

export interface FidelityOptions {
  /** How many of the prompt's last queries are asked; default 8, at most 64. */
  readonly window?: number;
}

/**
 * Both per layer, averaged over query heads and queries. A layer that keeps just its sliding window is a little off: but for the last,
 * these queries saw tokens that no later one sees.
 */
export interface Fidelity {
  /** Share of full attention that falls on tokens which were kept, in whatever form: 1 where nothing that matters went. */
  readonly recall: readonly number[];
  /**
   * Distance of the attention's output from full attention's, relative to its length: 0 where all was kept as it was. Of the cache's
   * own keys and values, as decoding reads them: quantised, pruned, merged, at packed positions.
   */
  readonly outputError: readonly number[];
}

/**
 * Compares caches of one prompt, as they were compressed and before anything was decoded on them, with all of its entries.
 *
 * @returns one for each cache
 * @throws KvError `invalid_option` for a window that was not observed, `disposed`
 */
export async function fidelities(
  context: Context,
  caches: readonly KvCache[],
  { window = 8 }: FidelityOptions = {},
): Promise<readonly Fidelity[]> {
  const observed = context.observation.queries[0]?.dims[1] ?? 0;
  if (!Number.isSafeInteger(window) || window < 1 || window > observed)
    throw new KvError({
      code: "invalid_option",
      path: ["fidelities", "window"],
      found: window,
      allowed: `an integer from 1 to ${observed}, the number of queries that prefill observed`,
    });
  const { model, length, observation } = context;
  const layers = await context.read();
  using copies = new DisposableStack();
  const held: KvCache[] = [];
  for (const cache of caches) held.push(copies.use(await cache.inMemory()));
  const perLayer = layers.map((_, layer) => layerFidelity({ model, layers, length, observation }, held, layer, window));
  return caches.map((_, i) => ({
    recall: perLayer.map((of) => of[i]?.recall ?? 0),
    outputError: perLayer.map((of) => of[i]?.outputError ?? 0),
  }));
}

function layerFidelity(
  { model, layers, length, observation }: Pick<Context, "model" | "layers" | "length" | "observation">,
  caches: readonly KvCache[],
  layer: number,
  w: number,
) {
  const { kvHeads, queryHeads, headDim, slidingWindow } = model.config;
  const [entries, queries] = [layers[layer], observation.queries[layer]];
  if (entries === undefined || queries === undefined) throw new RangeError(`no layer ${layer}`);
  const group = queryHeads / kvHeads;
  const visibility = { length, slidingWindow: slidingWindow[layer] ?? null };
  const observed = queries.dims[1] ?? 0;
  const lastOf = ({ data }: Tensor, head: number) =>
    data.subarray(((head + 1) * observed - w) * headDim, (head + 1) * observed * headDim);
  const turned = caches.map((cache) => queriesIn(cache, model.config, layer, queries));
  const sums = caches.map(() => ({ recall: 0, outputError: 0 }));
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const whole = readHead({ geometry: model.config, layers, compact: null }, layer, kvHead);
    const every = { ...whole, origins: whole.positions };
    const held = caches.map((cache) => ({
      ...readHead(cache, layer, kvHead),
      origins: cache.origins(layer, kvHead),
    }));
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      const full = attend({ queries: lastOf(queries, head), end: length }, every, w, visibility);
      for (const [i, cache] of caches.entries()) {
        const [kept, sum] = [held[i], sums[i]];
        if (kept === undefined || sum === undefined) continue;
        const asked = { queries: lastOf(turned[i] ?? queries, head), end: cache.length };
        const { recall, outputError } = compare(full, attend(asked, kept, w, visibility), kept.origins, w);
        sum.recall += recall / (queryHeads * w);
        sum.outputError += outputError / (queryHeads * w);
      }
    }
  }
  return sums;
}

/** Sums over the queries of full attention's share on what was kept, and of how far the output is off. */
function compare(full: Attended, held: Attended, origins: Int32Array, w: number) {
  const [n, d] = [full.weights.length / w, full.outputs.length / w];
  const sum = { recall: 0, outputError: 0 };
  for (let i = 0; i < w; i++) {
    let [mass, difference, whole] = [0, 0, 0];
    for (const j of origins) mass += full.weights[i * n + j] ?? 0;
    for (let c = i * d; c < (i + 1) * d; c++) {
      const expected = full.outputs[c] ?? 0;
      difference += ((held.outputs[c] ?? 0) - expected) ** 2;
      whole += expected ** 2;
    }
    sum.recall += Math.min(1, mass);
    sum.outputError += whole > 0 ? Math.sqrt(difference / whole) : 0;
  }
  return sum;
}
