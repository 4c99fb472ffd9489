/** What the decoder graph is fed beyond its rows, by the attention that is to run. That of batches is in batch/feeds.ts. */
import type { KvCache } from "../../cache/cache.ts";
import { isUniform, type LayerEntries } from "../../cache/layer.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { biasName, newKeys, newValues } from "./decoder.ts";
import { MASKED, NO_BIAS } from "./masks.ts";
import type { Feeds } from "./rows.ts";

const scalar = (value: boolean): Feed => ({ data: Uint8Array.of(value ? 1 : 0), dims: [] });
export const YES = scalar(true);
export const NO = scalar(false);

/** Something for every input that the attention which runs does not look at; the same objects in every run. */
export function idleFeeds({ layers, kvHeads, headDim, slidingWindow }: ModelConfig): Feeds {
  const one: Feed = { data: BigInt64Array.of(0n), dims: [1] };
  const square: Feed = { data: one.data, dims: [1, 1] };
  const counts: Feed = { data: new Int32Array(layers).fill(1), dims: [layers] };
  const tail: Feed = { data: new Float32Array(headDim), dims: [1, 1, headDim] };
  const feeds: Feeds = {
    flash: NO,
    ragged: NO,
    batched: NO,
    lasts: counts,
    totals: counts,
    tail: { data: new Float32Array(0), dims: [0, layers * 2 * kvHeads * headDim] },
    members: square,
    places: one,
    queryShape: { data: BigInt64Array.of(1n, 1n, BigInt(headDim)), dims: [3] },
    outputShape: { data: BigInt64Array.of(1n, 1n, 1n, 1n), dims: [4] },
    heads: square,
    owners: { data: new BigInt64Array(layers), dims: [layers] },
    pages: { data: new BigInt64Array(layers).fill(1n), dims: [layers] },
  };
  for (const window of new Set(slidingWindow)) feeds[biasName(window)] = NO_BIAS;
  for (let layer = 0; layer < layers; layer++) {
    feeds[`past.bias.${layer}`] = NO_BIAS;
    feeds[`tail.k.${layer}`] = feeds[`tail.v.${layer}`] = tail;
  }
  return feeds;
}

/** Keys and values of all layers, [KH, capacity, d] each, that flash attention reads and adds to. */
export interface InPlace {
  readonly feeds: Feeds;
  readonly into: Feeds;
}

export function inPlace(
  { kvHeads, headDim }: Pick<ModelConfig, "kvHeads" | "headDim">,
  layers: readonly { readonly keys: Float32Array; readonly values: Float32Array }[],
): InPlace {
  const feeds: Feeds = {};
  const into: Feeds = {};
  for (const [layer, { keys, values }] of layers.entries()) {
    const dims = [1, kvHeads, keys.length / (kvHeads * headDim), headDim];
    feeds[`past.k.${layer}`] = into[newKeys(layer)] = { data: keys, dims };
    feeds[`past.v.${layer}`] = into[newValues(layer)] = { data: values, dims };
  }
  return { feeds, into };
}

/** How many entries each layer holds with the new ones. */
export const countFeeds = (totals: readonly number[]): Feeds => ({
  lasts: { data: Int32Array.from(totals, (total) => total - 1), dims: [totals.length] },
  totals: { data: Int32Array.from(totals), dims: [totals.length] },
});

/** One token after a compressed prompt and its tail, read where they lie. */
export function raggedFeeds(config: ModelConfig, cache: KvCache): Feeds {
  const { layers, kvHeads, headDim } = config;
  const { length: position, tail } = cache;
  const width = layers * 2 * kvHeads * headDim;
  const feeds: Feeds = {
    ragged: YES,
    tail: { data: tail.data.subarray(0, tail.length * width), dims: [tail.length, width] },
  };
  for (const window of new Set(config.slidingWindow)) feeds[biasName(window)] = tailBias(tail.length, window);
  cache.layers.forEach((entries, layer) => {
    const blocks = isUniform(entries) ? kvHeads : 1;
    const dims = [1, blocks, entries.positions.length / blocks, headDim];
    feeds[`past.k.${layer}`] = { data: entries.keys, dims };
    feeds[`past.v.${layer}`] = { data: entries.values, dims };
    feeds[`past.bias.${layer}`] = pastBias(config, entries, blocks, config.slidingWindow[layer] ?? null, position);
  });
  return feeds;
}

/** The tail's tokens are the last ones before this, so only distance can hide them: [1, 1, T + 1]. */
function tailBias(length: number, slidingWindow: number | null): Feed {
  const hidden = slidingWindow === null ? 0 : Math.max(0, length + 1 - slidingWindow);
  return { data: new Float32Array(length + 1).fill(MASKED, 0, hidden), dims: [1, 1, length + 1] };
}

/** Hides entries outside the sliding window, and in a ragged layer the entries of other KV heads. */
function pastBias(
  { queryHeads, kvHeads }: ModelConfig,
  entries: LayerEntries,
  blocks: number,
  slidingWindow: number | null,
  position: number,
): Feed {
  const { positions, offsets } = entries;
  if (blocks > 1 && slidingWindow === null) return NO_BIAS;
  const group = queryHeads / kvHeads;
  const columns = positions.length / blocks;
  const bias = new Float32Array(queryHeads * columns).fill(blocks > 1 ? 0 : MASKED);
  for (let head = 0; head < queryHeads; head++) {
    const kvHead = Math.floor(head / group);
    const [from = 0, to = 0] = offsets.subarray(kvHead, kvHead + 2);
    const shift = head * columns - (blocks > 1 ? from : 0);
    for (let i = from; i < to; i++) {
      const visible = slidingWindow === null || (positions[i] ?? 0) > position - slidingWindow;
      bias[shift + i] = visible ? 0 : MASKED;
    }
  }
  return { data: bias, dims: [queryHeads, 1, columns] };
}
