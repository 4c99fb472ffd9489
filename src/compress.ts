/** The second stage: what a method keeps of a prompt, as a cache that holds nothing else. */
import type { KvCache } from "./cache/cache.ts";
import { type LayerEntries, offsetsOf } from "./cache/layer.ts";
import { type Choosable, type Context, promptCache } from "./context.ts";
import { inFormOf } from "./form.ts";
import type { Merge } from "./merging/merge.ts";
import { mixed } from "./merging/mix.ts";
import type { Method } from "./methods/method.ts";
import { type Selection, select } from "./methods/select.ts";
import { inverseFrequencies } from "./model/rope.ts";
import { type Kept, pack } from "./packing.ts";
import { promptText } from "./prompt.ts";
import type { LayerObservation } from "./scoring/score.ts";

/**
 * Compresses a prompt's cache. The context stays as it is: compress it by as many methods and budgets as you like.
 *
 * Of layers with a sliding window, on a network that has others too, the cache keeps the last `window` tokens and no more, by any
 * method: what is beyond is never looked at again.
 *
 * @throws KvError `observation_missing` if `prefill` was not told to observe what the method needs, `disposed`
 */
export async function compress(context: Context, method: Method): Promise<KvCache> {
  const left = await kept(context, method, context.length);
  // What entries received is known by true positions.
  const seen = method.packed ? undefined : context.observation;
  return inFormOf(method, context, promptCache(context.model, left, context.logits, seen));
}

/**
 * A cache of exactly the given entries of a prompt: the last half of `compress`, for selections made elsewhere.
 *
 * @param selection [layer][kvHead], positions ascending in [0, context.length)
 */
export async function retain(context: Context, selection: Selection): Promise<KvCache> {
  const left = { layers: await entriesOf(context, selection), length: context.length, origins: null };
  return promptCache(context.model, left, context.logits, context.observation);
}

/**
 * What a method leaves of the entries, and where decoding goes on.
 *
 * @param position of the next token, if positions stay true
 */
export async function kept(choosable: Choosable, method: Method, position: number): Promise<Kept> {
  const layers = await entriesOf(choosable, await select(method, observations(choosable)), method.merge);
  return method.packed ? pack(choosable.model.config, layers, position) : { layers, length: position, origins: null };
}

/** The selected entries, copied out layer by layer; a layer kept whole is shared instead. */
async function entriesOf(choosable: Choosable, selection: Selection, merge?: Merge): Promise<readonly LayerEntries[]> {
  const layers: LayerEntries[] = [];
  for (const [layer, observed] of observations(choosable).entries()) {
    const [entries, rows] = [choosable.layers[layer], selection[layer]];
    if (entries === undefined || rows === undefined) throw new RangeError(`no layer ${layer}`);
    layers.push(await keep(observed, entries, rows, merge));
  }
  return layers;
}

/** Each layer as scoring policies see it. */
export function observations({ model, layers, length, observation, tokens }: Choosable): readonly LayerObservation[] {
  const { kvHeads, headDim, slidingWindow } = model.config;
  const dims = [kvHeads, length, headDim];
  const prompt = tokens && promptText(model, tokens);
  return layers.map(({ keys, values, positions }, layer) => ({
    layer,
    length,
    kvHeads,
    positions,
    queries: observation.queries[layer] ?? { data: new Float32Array(0), dims: [model.config.queryHeads, 0, headDim] },
    keys: { data: keys, dims },
    values: { data: values, dims },
    columnSums: observation.columnSums?.[layer] ?? null,
    queryMoments: observation.moments?.[layer] ?? null,
    probes: new Map(
      Array.from(observation.probes).flatMap(([name, seen]) => seen.slice(layer, layer + 1).map((of) => [name, of])),
    ),
    slidingWindow: slidingWindow[layer] ?? null,
    frequencies: inverseFrequencies(model.config, layer),
    outputProjection: () => model.engine.outputProjection(layer),
    prompt,
    kernels: model.engine.kernels,
  }));
}

async function keep(
  observed: LayerObservation,
  entries: LayerEntries,
  rows: Selection[number],
  merge?: Merge,
): Promise<LayerEntries> {
  const { length, kernels } = observed;
  if (rows.every((chosen) => chosen.length === length)) return entries;
  const picked = {
    keys: (await kernels.gather(observed.keys, rows)).data,
    values: (await kernels.gather(observed.values, rows)).data,
  };
  const offsets = offsetsOf(rows.map((chosen) => chosen.length));
  const positions = new Int32Array(offsets.at(-1) ?? 0);
  for (const [head, chosen] of rows.entries()) {
    const own = entries.positions.subarray(head * length, (head + 1) * length);
    positions.set(
      chosen.map((row) => own[row] ?? 0),
      offsets[head],
    );
  }
  const { keys, values } = merge === undefined ? picked : await mixed(merge, { ...observed, kept: rows }, picked);
  return { keys, values, positions, offsets };
}
