/** The second stage: what a method keeps of a prompt, as a cache that holds nothing else. */
import type { KvCache } from "./cache/cache.ts";
import type { EntriesInMemory, EntriesOnDevice } from "./cache/contents.ts";
import { type LayerEntries, offsetsOf, type Places } from "./cache/layer.ts";
import { chosen } from "./cache/prompt-places.ts";
import { type Choosable, type Context, type Kept, promptCache } from "./context.ts";
import { inFormOf } from "./form.ts";
import type { Merge } from "./merging/merge.ts";
import { mixed } from "./merging/mix.ts";
import type { Method } from "./methods/method.ts";
import { type Selection, select } from "./methods/select.ts";
import { observations } from "./observations.ts";
import { pack } from "./packing.ts";
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
  const left = { ...(await entriesOf(context, selection)), length: context.length, origins: null };
  return promptCache(context.model, left, context.logits, context.observation);
}

/**
 * What a method leaves of the entries, and where decoding goes on.
 *
 * @param position of the next token, if positions stay true
 */
export async function kept(choosable: Choosable, method: Method, position: number): Promise<Kept> {
  const selection = await select(method, observations(choosable));
  if (method.packed === undefined && method.merge === undefined)
    return { ...(await entriesOf(choosable, selection)), length: position, origins: null };
  const layers = await entriesInMemory(choosable, selection, method.merge);
  return method.packed ? pack(choosable.model.config, layers, position) : { layers, length: position, origins: null };
}

/** The selected entries, where those of the prompt are. */
async function entriesOf(choosable: Choosable, selection: Selection): Promise<EntriesInMemory | EntriesOnDevice> {
  const { onDevice, places } = choosable.entries;
  if (onDevice === null) return { layers: await entriesInMemory(choosable, selection) };
  const layers = places.map((own, layer) => placesOf(own, choosable.length, selection[layer] ?? []));
  return { layers, device: onDevice(selection) };
}

/** The selected entries, copied out layer by layer; in memory a layer kept whole is shared instead. */
async function entriesInMemory(
  choosable: Choosable,
  selection: Selection,
  merge?: Merge,
): Promise<readonly LayerEntries[]> {
  const layers: LayerEntries[] = [];
  for (const [layer, observed] of observations(choosable).entries()) {
    const [places, rows] = [choosable.entries.places[layer], selection[layer]];
    if (places === undefined || rows === undefined) throw new RangeError(`no layer ${layer}`);
    layers.push(await keep(observed, places, rows, merge));
  }
  return layers;
}

async function keep(
  observed: LayerObservation,
  places: Places,
  rows: Selection[number],
  merge?: Merge,
): Promise<LayerEntries> {
  const { length, kernels } = observed;
  if (rows.every((chosen) => chosen.length === length)) {
    const [keys, values] = [await kernels.read(observed.keys), await kernels.read(observed.values)];
    return { keys: keys.data, values: values.data, ...places };
  }
  const picked = {
    keys: (await kernels.gather(observed.keys, rows)).data,
    values: (await kernels.gather(observed.values, rows)).data,
  };
  const { keys, values } = merge === undefined ? picked : await mixed(merge, { ...observed, kept: rows }, picked);
  return { keys, values, ...placesOf(places, length, rows) };
}

/** Where the chosen of each head's `length` entries come from. */
export const placesOf = ({ positions }: Places, length: number, rows: Selection[number]): Places => ({
  positions: chosen(positions, length, rows),
  offsets: offsetsOf(rows.map((own) => own.length)),
});
