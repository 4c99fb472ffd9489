/** The second stage: what a method keeps of a prompt, as a cache that holds nothing else. */
import type { KvCache } from "./cache/cache.ts";
import { type LayerEntries, offsetsOf } from "./cache/layer.ts";
import { type Choosable, type Context, promptCache } from "./context.ts";
import { inFormOf } from "./form.ts";
import type { Method } from "./methods/method.ts";
import { type Selection, select } from "./methods/select.ts";
import type { LayerObservation } from "./scoring/score.ts";

/**
 * Compresses a prompt's cache. The context stays as it is: compress it by as many methods and budgets as you like.
 *
 * @throws KvError `observation_missing` if `prefill` was not told to observe what the method needs, `disposed`
 */
export async function compress(context: Context, method: Method): Promise<KvCache> {
  return inFormOf(method, context, await retain(context, await select(method, observations(context))));
}

/**
 * A cache of exactly the given entries of a prompt: the last half of `compress`, for selections made elsewhere.
 *
 * @param selection [layer][kvHead], positions ascending in [0, context.length)
 */
export async function retain(context: Context, selection: Selection): Promise<KvCache> {
  return promptCache(context.model, await entriesOf(context, selection), context.length, context.logits);
}

/**
 * The selected entries, copied out layer by layer; a layer kept whole is shared instead.
 *
 * @param selection [layer][kvHead], ascending: the how manieth of its head's entries
 */
export async function entriesOf(choosable: Choosable, selection: Selection): Promise<readonly LayerEntries[]> {
  const layers: LayerEntries[] = [];
  for (const [layer, rows] of selection.entries()) layers.push(await keep(choosable, layer, rows));
  return layers;
}

/** Each layer as scoring policies see it. */
export function observations({ model, layers, length, observation }: Choosable): readonly LayerObservation[] {
  const { kvHeads, headDim, slidingWindow } = model.config;
  const dims = [kvHeads, length, headDim];
  return layers.map(({ keys, values, positions }, layer) => ({
    layer,
    length,
    kvHeads,
    positions,
    queries: observation.queries[layer] ?? { data: new Float32Array(0), dims: [model.config.queryHeads, 0, headDim] },
    keys: { data: keys, dims },
    values: { data: values, dims },
    columnSums: observation.columnSums?.[layer] ?? null,
    slidingWindow: slidingWindow[layer] ?? null,
    kernels: model.engine.kernels,
  }));
}

async function keep(
  { model, layers, length }: Choosable,
  layer: number,
  rows: Selection[number],
): Promise<LayerEntries> {
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
  for (const [head, kept] of rows.entries()) {
    const own = entries.positions.subarray(head * length, (head + 1) * length);
    positions.set(
      kept.map((row) => own[row] ?? 0),
      offsets[head],
    );
  }
  return { keys: keys.data, values: values.data, positions, offsets };
}
