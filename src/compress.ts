/** The second stage: what a method keeps of a prompt, as a cache that holds nothing else. */
import type { KvCache } from "./cache/cache.ts";
import { type LayerEntries, offsetsOf } from "./cache/layer.ts";
import { type Context, promptCache } from "./context.ts";
import type { Method } from "./methods/method.ts";
import { type Selection, select } from "./methods/select.ts";
import type { LayerObservation } from "./scoring/score.ts";

/**
 * Compresses a prompt's cache. The context stays as it is: compress it by as many methods and budgets as you like.
 *
 * @throws KvError `observation_missing` if `prefill` was not told to observe what the method needs, `disposed`
 */
export async function compress(context: Context, method: Method): Promise<KvCache> {
  return retain(context, await select(method, observations(context)));
}

/**
 * A cache of exactly the given entries of a prompt: the last half of `compress`, for selections made elsewhere.
 *
 * @param selection [layer][kvHead], positions ascending in [0, context.length)
 */
export async function retain(context: Context, selection: Selection): Promise<KvCache> {
  const layers: LayerEntries[] = [];
  for (const [layer, rows] of selection.entries()) layers.push(await keep(context, layer, rows));
  return promptCache(context.model, layers, context.length, context.logits);
}

/** Each layer as scoring policies see it. */
export function observations({ model, layers, length, observation }: Context): readonly LayerObservation[] {
  const { kvHeads, headDim, slidingWindow } = model.config;
  const dims = [kvHeads, length, headDim];
  return layers.map(({ keys, values }, layer) => ({
    layer,
    length,
    kvHeads,
    queries: observation.queries[layer] ?? { data: new Float32Array(0), dims: [model.config.queryHeads, 0, headDim] },
    keys: { data: keys, dims },
    values: { data: values, dims },
    columnSums: observation.columnSums?.[layer] ?? null,
    slidingWindow: slidingWindow[layer] ?? null,
    kernels: model.engine.kernels,
  }));
}

/** The selected entries of one layer, copied out; a layer kept whole is shared with the context instead. */
async function keep({ model, layers, length }: Context, layer: number, rows: Selection[number]): Promise<LayerEntries> {
  const entries = layers[layer];
  if (entries === undefined) throw new RangeError(`no layer ${layer}`);
  if (rows.every((kept) => kept.length === length)) return entries;
  const { kernels } = model.engine;
  const dims = [model.config.kvHeads, length, model.config.headDim];
  const [keys, values] = [
    await kernels.gather({ data: entries.keys, dims }, rows),
    await kernels.gather({ data: entries.values, dims }, rows),
  ];
  const offsets = offsetsOf(rows.map((kept) => kept.length));
  const positions = new Int32Array(offsets.at(-1) ?? 0);
  for (const [head, kept] of rows.entries()) positions.set(kept, offsets[head]);
  return { keys: keys.data, values: values.data, positions, offsets };
}
