/** Prefill and compression in one, layer by layer: what `compress` would keep, with one layer's full cache in memory at a time. */
import type { KvCache } from "./cache/cache.ts";
import type { Places } from "./cache/layer.ts";
import { placesOf } from "./compress.ts";
import { promptCache } from "./context.ts";
import type { PrefillResult } from "./engine/index.ts";
import type { Model } from "./load.ts";
import { type LayerChooser, layerChooser } from "./methods/choose-by-layer.ts";
import type { Method } from "./methods/method.ts";
import { observationOf } from "./observations.ts";
import { invalid } from "./options.ts";
import { type PrefillOptions, prefillRequest } from "./prefill.ts";
import { promptText, tokensOf } from "./prompt.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Compresses each layer of a prompt before the next one runs, on engines that can: the same cache as from
 * `compress(await prefill(model, prompt), method)`, where at most one layer is ever held in full.
 *
 * @param options as of `prefill`; what the method needs is observed anyway
 * @throws KvError `invalid_option` for an engine that runs all layers at once, and for a method that must see several layers, or more than
 *   attention within one, before it chooses; else as `prefill` and `compress`
 */
export async function compressByLayer(
  model: Model,
  prompt: string | Int32Array,
  method: Method,
  options: PrefillOptions = {},
): Promise<KvCache> {
  const tokens = tokensOf(model, prompt);
  const run = await byLayer(model, method, tokens);
  if (typeof run === "string") throw invalid(["compressByLayer", "method"], method.name, run);
  return run(options);
}

/** What compresses this prompt by layers, or why it cannot be. @throws KvError as allocating the budget does */
export async function byLayer(
  model: Model,
  method: Method,
  tokens: Int32Array,
): Promise<((options: PrefillOptions) => Promise<KvCache>) | string> {
  const { engine, config } = model;
  if (engine.prefillByLayer === null)
    return `one on an engine that runs a layer at a time, which ${engine.name} does not`;
  if (method.merge ?? method.packed ?? method.form ?? method.crossLayer)
    return "one that does nothing with entries but to choose among them";
  if (method.needs.probes.length > 0) return "one that runs nothing after the prompt";
  const choose = await layerChooser(method, { length: tokens.length, ...config });
  if (choose === null) return "one whose layers do not compete for the budget";
  return (options) => compressed(model, tokens, method, choose, options);
}

async function compressed(
  model: Model,
  tokens: Int32Array,
  method: Method,
  choose: LayerChooser,
  options: PrefillOptions,
): Promise<KvCache> {
  const { length } = tokens;
  const prompt = promptText(model, tokens);
  const layers: Places[] = [];
  const sums: Tensor[] = [];
  const request = prefillRequest(model, tokens, { ...options, observe: [method, ...(options.observe ?? [])] });
  const result = await model.engine.prefillByLayer?.({
    ...request,
    async choose(layer, seen) {
      const observed = observationOf(model, layer, { length, ...ofOnlyLayer(model, seen), probes: new Map(), prompt });
      const rows = await choose(layer, observed);
      const [places] = seen.entries.places;
      if (places !== undefined) layers.push(placesOf(places, length, rows));
      if (observed.columnSums !== null) sums.push(observed.columnSums);
      return rows;
    },
  });
  if (result === undefined) throw new RangeError("an engine that runs all layers at once");
  const left = { layers, device: result.device, length, origins: null };
  return promptCache(model, left, result.logits, { columnSums: sums.length > 0 ? sums : null });
}

/** What was seen of the only layer that there is. */
function ofOnlyLayer({ config }: Model, { entries, queries: [queries], columnSums, moments }: PrefillResult) {
  const { queryHeads, headDim } = config;
  const [{ positions } = { positions: new Int32Array(0) }] = entries.places;
  const [sums] = columnSums ?? [];
  const data = queries ?? new Float32Array(0);
  return {
    positions,
    ...entries.stored(0),
    queries: { data, dims: [queryHeads, data.length / (queryHeads * headDim), headDim] },
    columnSums: sums === undefined ? null : { data: sums, dims: [queryHeads, sums.length / queryHeads] },
    queryMoments: moments?.[0] ?? null,
  };
}
