/**
 * How near attention on what a cache keeps is to full attention, seen by the prompt's last queries: smooth measures, where an answer is
 * only right or wrong.
 */
import { attentionRow } from "../../kernels/attention-row.ts";
import type { Visibility } from "../../kernels/tensor.ts";
import type { KvCache } from "../cache/cache.ts";
import type { Context } from "../context.ts";
import { KvError } from "../error.ts";

export interface FidelityOptions {
  /** How many of the prompt's last queries are asked; default 8, at most 64. */
  readonly window?: number;
}

/**
 * Both per layer, averaged over query heads and queries. A layer that keeps just its sliding window is a little off: but for the last,
 * these queries saw tokens that no later one sees.
 */
export interface Fidelity {
  /** Share of the attention that falls on entries which were kept: 1 where nothing that matters went. */
  readonly recall: readonly number[];
  /** Distance of the attention's output from full attention's, relative to its length: 0 where all was kept. */
  readonly outputError: readonly number[];
}

/**
 * Compares caches of one prompt, as they were compressed and before anything was decoded on them, with all of its entries.
 *
 * @returns one for each cache
 * @throws KvError `invalid_option` for a window that was not observed, `disposed`
 */
export function fidelities(
  context: Context,
  caches: readonly KvCache[],
  { window = 8 }: FidelityOptions = {},
): readonly Fidelity[] {
  const observed = context.observation.queries[0]?.dims[1] ?? 0;
  if (!Number.isSafeInteger(window) || window < 1 || window > observed)
    throw new KvError({
      code: "invalid_option",
      path: ["fidelities", "window"],
      found: window,
      allowed: `an integer from 1 to ${observed}, the number of queries that prefill observed`,
    });
  const perLayer = context.layers.map((_, layer) => layerFidelity(context, caches, layer, window));
  return caches.map((_, i) => ({
    recall: perLayer.map((of) => of[i]?.recall ?? 0),
    outputError: perLayer.map((of) => of[i]?.outputError ?? 0),
  }));
}

/** Attention of one head's queries: their weights [w, n] and outputs [w, d]. */
interface Attended {
  readonly weights: Float64Array;
  readonly outputs: Float64Array;
}

function layerFidelity(
  { model, layers, length, observation }: Context,
  caches: readonly KvCache[],
  layer: number,
  w: number,
) {
  const { kvHeads, queryHeads, headDim, slidingWindow } = model.config;
  const [entries, queries] = [layers[layer], observation.queries[layer]];
  if (entries === undefined || queries === undefined) throw new RangeError(`no layer ${layer}`);
  const sums = caches.map(() => ({ recall: 0, outputError: 0 }));
  const observed = queries.dims[1] ?? 0;
  for (let head = 0; head < queryHeads; head++) {
    const kvHead = Math.floor((head * kvHeads) / queryHeads);
    const own = (data: Float32Array) => data.subarray(kvHead * length * headDim, (kvHead + 1) * length * headDim);
    const [keys, values] = [own(entries.keys), own(entries.values)];
    const last = queries.data.subarray((head * observed + observed - w) * headDim, (head + 1) * observed * headDim);
    const full = attend(last, keys, values, w, { slidingWindow: slidingWindow[layer] ?? null });
    for (const [i, cache] of caches.entries()) {
      const { recall, outputError } = compare(full, values, cache.positions(layer, kvHead), w);
      const sum = sums[i];
      if (sum === undefined) continue;
      sum.recall += recall / (queryHeads * w);
      sum.outputError += outputError / (queryHeads * w);
    }
  }
  return sums;
}

/** Full attention of the last w queries. */
function attend(
  queries: Float32Array,
  keys: Float32Array,
  values: Float32Array,
  w: number,
  visibility: Visibility,
): Attended {
  const d = queries.length / w;
  const n = keys.length / d;
  const weights = new Float64Array(w * n);
  const outputs = new Float64Array(w * d);
  const positions = Int32Array.from({ length: n }, (_, j) => j);
  for (let i = 0; i < w; i++) {
    const row = attentionRow(queries.subarray(i * d, (i + 1) * d), keys, n - w + i, visibility);
    weights.set(row, i * n);
    accumulate(outputs.subarray(i * d, (i + 1) * d), row, values, positions);
  }
  return { weights, outputs };
}

/** Sums over the queries of what the kept entries hold, and of how far their output is off. */
function compare({ weights, outputs }: Attended, values: Float32Array, kept: Int32Array, w: number) {
  const n = weights.length / w;
  const d = outputs.length / w;
  const output = new Float64Array(d);
  const sum = { recall: 0, outputError: 0 };
  for (let i = 0; i < w; i++) {
    const row = weights.subarray(i * n, (i + 1) * n);
    let mass = 0;
    for (const j of kept) mass += row[j] ?? 0;
    output.fill(0);
    accumulate(output, row, values, kept);
    let [difference, whole] = [0, 0];
    for (let c = 0; c < d; c++) {
      const expected = outputs[i * d + c] ?? 0;
      // What stays shares all of the attention; a query that sees nothing of what stays has no output.
      const found = mass > 0 ? (output[c] ?? 0) / mass : 0;
      difference += (found - expected) ** 2;
      whole += expected ** 2;
    }
    sum.recall += Math.min(1, mass);
    sum.outputError += whole > 0 ? Math.sqrt(difference / whole) : 0;
  }
  return sum;
}

/** Adds weight times value over some positions: [d]. */
function accumulate(into: Float64Array, row: Float64Array, values: Float32Array, positions: Iterable<number>): void {
  const d = into.length;
  for (const j of positions) {
    const weight = row[j] ?? 0;
    if (weight === 0) continue;
    for (let c = 0; c < d; c++) into[c] = (into[c] ?? 0) + weight * (values[j * d + c] ?? 0);
  }
}
