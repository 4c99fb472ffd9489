/** What the decoder graph is fed: a prompt's chunk over a growing full cache, or one token over a compressed one. */
import type { KvCache } from "../../cache/cache.ts";
import { type CacheGeometry, isUniform, type LayerEntries } from "../../cache/layer.ts";
import type { PromptCache } from "../../cache/prompt.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { noBatch } from "./batch/feeds.ts";
import { biasName } from "./decoder.ts";
import { MASKED, NO_BIAS } from "./masks.ts";
import { type Feeds, type Rows, rowFeeds } from "./rows.ts";

/** A chunk of a prompt. Masks are the flash attention's own business, so every bias is a placeholder. */
export function chunkFeeds(config: ModelConfig, frequencies: Float64Array, rows: Rows, past: PromptCache): Feeds {
  const { layers, kvHeads, headDim } = config;
  const feeds: Feeds = { ...rowFeeds(config, frequencies, rows), ...noBatch(config) };
  feeds.ragged = { data: Uint8Array.of(0), dims: [] };
  feeds.tail = { data: new Float32Array(0), dims: [0, layers * 2 * kvHeads * headDim] };
  for (const window of new Set(config.slidingWindow)) feeds[biasName(window)] = NO_BIAS;
  for (let layer = 0; layer < layers; layer++) {
    feeds[`past.k.${layer}`] = { data: past.keys(layer), dims: [kvHeads, past.length, headDim] };
    feeds[`past.v.${layer}`] = { data: past.values(layer), dims: [kvHeads, past.length, headDim] };
    feeds[`past.bias.${layer}`] = NO_BIAS;
  }
  return feeds;
}

/** One token after a compressed prompt and its tail. */
export function tokenFeeds(
  config: ModelConfig,
  frequencies: Float64Array,
  embeddings: Float32Array,
  cache: KvCache,
): Feeds {
  const { layers, kvHeads, headDim } = config;
  const { length: position, tail } = cache;
  const rows = { embeddings, positions: Int32Array.of(position), logitsFrom: 0, queriesFrom: null };
  const feeds: Feeds = { ...rowFeeds(config, frequencies, rows), ...noBatch(config) };
  const width = layers * 2 * kvHeads * headDim;
  feeds.ragged = { data: Uint8Array.of(1), dims: [] };
  feeds.tail = { data: tail.data.subarray(0, tail.length * width), dims: [tail.length, width] };
  for (const window of new Set(config.slidingWindow)) feeds[biasName(window)] = tailBias(tail.length, window);
  cache.layers.forEach((entries, layer) => {
    const blocks = isUniform(entries) ? kvHeads : 1;
    const dims = [blocks, entries.positions.length / blocks, headDim];
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
  { queryHeads, kvHeads }: ModelConfig & CacheGeometry,
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
