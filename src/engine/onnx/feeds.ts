/** What the decoder graph is fed beyond its rows, by the attention that is to run. That of batches is in batch/feeds.ts. */
import type { KvCache } from "../../cache/cache.ts";
import { isUniform, type Places } from "../../cache/layer.ts";
import type { PromptCache } from "../../cache/prompt.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { compactFeeds, idleCompact } from "./compact/feeds.ts";
import { NO, YES } from "./flags.ts";
import { biasName } from "./inputs.ts";
import { MASKED, NO_BIAS } from "./masks.ts";
import type { Feeds } from "./rows.ts";

/** Something for every input that the attention which runs does not look at; the same objects in every run. */
export function idleFeeds(config: ModelConfig): Feeds {
  const { layers, kvHeads, headDim, slidingWindow } = config;
  const one: Feed = { data: BigInt64Array.of(0n), dims: [1] };
  const square: Feed = { data: one.data, dims: [1, 1] };
  const tail: Feed = { data: new Float32Array(headDim), dims: [1, 1, headDim] };
  const feeds: Feeds = {
    token: NO,
    flash: NO,
    ragged: NO,
    batched: NO,
    lastPosition: { data: Int32Array.of(0), dims: [1] },
    totalLength: { data: Int32Array.of(1), dims: [] },
    newFrom: one,
    sizes: { data: new BigInt64Array(layers * 3), dims: [layers * 3] },
    tail: { data: new Float32Array(0), dims: [0, layers * 2 * kvHeads * headDim] },
    members: square,
    places: one,
    queryShape: { data: BigInt64Array.of(1n, 1n, BigInt(headDim)), dims: [3] },
    outputShape: { data: BigInt64Array.of(1n, 1n, 1n, 1n), dims: [4] },
    heads: square,
    owners: { data: new BigInt64Array(layers), dims: [layers] },
    pages: { data: new BigInt64Array(layers).fill(1n), dims: [layers] },
    ...idleCompact(config),
  };
  for (const window of new Set(slidingWindow)) feeds[biasName(window)] = NO_BIAS;
  for (let layer = 0; layer < layers; layer++) {
    feeds[`past.bias.${layer}`] = NO_BIAS;
    feeds[`tail.k.${layer}`] = feeds[`tail.v.${layer}`] = tail;
  }
  return feeds;
}

/** A chunk of `count` tokens over all entries held before it. Masks are the flash attention's own business: it counts entries. */
export function chunkFeeds(config: ModelConfig, past: PromptCache, count: number): Feeds {
  const { layers, kvHeads, headDim } = config;
  const end = past.length + count;
  const feeds: Feeds = {
    lastPosition: { data: Int32Array.of(end - 1), dims: [1] },
    totalLength: { data: Int32Array.of(end), dims: [] },
    newFrom: { data: BigInt64Array.of(BigInt(-count)), dims: [1] },
  };
  for (let layer = 0; layer < layers; layer++) {
    feeds[`past.k.${layer}`] = { data: past.keys(layer), dims: [1, kvHeads, past.length, headDim] };
    feeds[`past.v.${layer}`] = { data: past.values(layer), dims: [1, kvHeads, past.length, headDim] };
  }
  return feeds;
}

/** The next `count` tokens after a compressed prompt and its tail, read where they lie, whatever form they are in. */
export function raggedFeeds(config: ModelConfig, cache: KvCache, count = 1): Feeds {
  const { layers, kvHeads, headDim } = config;
  const { tail, compact } = cache;
  const next = { position: cache.length, count };
  const width = layers * 2 * kvHeads * headDim;
  const feeds: Feeds = {
    ...(compact === null ? { ragged: YES } : compactFeeds(config, compact)),
    tail: { data: tail.data.subarray(0, tail.length * width), dims: [tail.length, width] },
  };
  for (const window of new Set(config.slidingWindow)) feeds[biasName(window)] = freshBias(tail.length, count, window);
  cache.layers.forEach((entries, layer) => {
    const older = compact?.layers[layer];
    const parts = older === undefined ? [entries] : [older, entries];
    const blocks = parts.every(isUniform) ? kvHeads : 1;
    const dims = [1, blocks, entries.positions.length / blocks, headDim];
    feeds[`past.k.${layer}`] = { data: entries.keys, dims };
    feeds[`past.v.${layer}`] = { data: entries.values, dims };
    feeds[`past.bias.${layer}`] = pastBias(config, parts, blocks, config.slidingWindow[layer] ?? null, next);
  });
  return feeds;
}

/** Of the tail's tokens and the new ones, the last before a token and itself, only distance can hide any: [1, S, T + S]. */
function freshBias(tail: number, count: number, slidingWindow: number | null): Feed {
  const columns = tail + count;
  const bias = new Float32Array(count * columns).fill(MASKED);
  for (let row = 0; row < count; row++) {
    const end = tail + row + 1;
    const hidden = slidingWindow === null ? 0 : Math.max(0, end - slidingWindow);
    bias.fill(0, row * columns + hidden, row * columns + end);
  }
  return { data: bias, dims: [1, count, columns] };
}

/**
 * Hides entries outside the sliding window, and in a ragged layer the entries of other KV heads: [H, S, P], or one row for all S. A
 * past's parts are side by side.
 */
function pastBias(
  { queryHeads, kvHeads }: ModelConfig,
  parts: readonly Places[],
  blocks: number,
  slidingWindow: number | null,
  next: { readonly position: number; readonly count: number },
): Feed {
  if (blocks > 1 && slidingWindow === null) return NO_BIAS;
  const rows = slidingWindow === null ? 1 : next.count;
  const group = queryHeads / kvHeads;
  const columns = parts.reduce((sum, { positions }) => sum + positions.length, 0) / blocks;
  const bias = new Float32Array(queryHeads * rows * columns).fill(MASKED);
  for (let head = 0; head < queryHeads; head++) {
    const kvHead = Math.floor(head / group);
    for (let row = 0; row < rows; row++) {
      const last = slidingWindow === null ? Number.NEGATIVE_INFINITY : next.position + row - slidingWindow;
      let shift = (head * rows + row) * columns;
      for (const { positions, offsets } of parts) {
        const [from = 0, to = 0] = offsets.subarray(kvHead, kvHead + 2);
        const first = blocks > 1 ? from : 0;
        for (let i = from; i < to; i++) if ((positions[i] ?? 0) > last) bias[shift + i - first] = 0;
        shift += positions.length / blocks;
      }
    }
  }
  return { data: bias, dims: [queryHeads, rows, columns] };
}
