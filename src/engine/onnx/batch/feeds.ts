/** What the decoder graph is fed for a batch beyond its rows: pages, tails, and who belongs to what. */
import type { KvCache } from "../../../cache/cache.ts";
import type { ModelConfig } from "../../../model/config.ts";
import type { Feed } from "../../../onnx/session.ts";
import { YES } from "../flags.ts";
import { biasName } from "../inputs.ts";
import { MASKED, NO_BIAS } from "../masks.ts";
import type { Feeds } from "../rows.ts";
import { PADDING, type PagedLayer, type Pages } from "./pages.ts";
import type { Tails } from "./tails.ts";

const ints = (...values: number[]) => BigInt64Array.from(values, BigInt);

/** @param members the sequences of each of the pages' groups; none for a group that has left */
export function batchFeeds(
  config: ModelConfig,
  caches: readonly KvCache[],
  pages: Pages,
  members: readonly (readonly number[])[],
  tails: Tails,
): Feeds {
  const { queryHeads, kvHeads, headDim } = config;
  const most = Math.max(...members.map(({ length }) => length));
  const places = new BigInt64Array(caches.length);
  const table = new BigInt64Array(members.length * most);
  for (const [group, sequences] of members.entries()) {
    for (const [i, sequence] of sequences.entries()) {
      places[sequence] = BigInt(group * most + i);
      table[group * most + i] = BigInt(sequence);
    }
  }
  const heads = members.length * kvHeads;
  const feeds: Feeds = {
    ragged: YES,
    batched: YES,
    members: { data: table, dims: [members.length, most] },
    places: { data: places, dims: [caches.length] },
    queryShape: { data: ints(heads, (most * queryHeads) / kvHeads, headDim), dims: [3] },
    outputShape: { data: ints(members.length, kvHeads, most, -1), dims: [4] },
    heads: { data: ints(...Array(heads).keys()), dims: [heads, 1] },
    ...ownerFeeds(pages),
  };
  for (const window of new Set(config.slidingWindow)) {
    feeds[biasName(window)] = newBias(caches, tails.capacity, window);
  }
  for (const [layer, paged] of pages.layers.entries()) {
    const count = paged.owners.length;
    const tailDims = [caches.length * kvHeads, tails.capacity, headDim];
    feeds[`past.k.${layer}`] = { data: paged.keys, dims: [1, count, paged.width, headDim] };
    feeds[`past.v.${layer}`] = { data: paged.values, dims: [1, count, paged.width, headDim] };
    feeds[`past.bias.${layer}`] = pageBias(config, paged, caches, members, most, config.slidingWindow[layer] ?? null);
    feeds[`tail.k.${layer}`] = { data: tails.side(layer, 0), dims: tailDims };
    feeds[`tail.v.${layer}`] = { data: tails.side(layer, 1), dims: tailDims };
  }
  return feeds;
}

function ownerFeeds({ layers }: Pages): Feeds {
  const counts = layers.map(({ owners }) => owners.length);
  const owners = new BigInt64Array(counts.reduce((sum, count) => sum + count, 0));
  let from = 0;
  for (const layer of layers) {
    owners.set(layer.owners, from);
    from += layer.owners.length;
  }
  return { owners: { data: owners, dims: [owners.length] }, pages: { data: ints(...counts), dims: [layers.length] } };
}

/** Hides padding and, from each member of a page's group, what is outside its sliding window: [N, F * G or 1, W]. */
function pageBias(
  { queryHeads, kvHeads }: ModelConfig,
  { owners, positions, width, padded }: PagedLayer,
  caches: readonly KvCache[],
  members: readonly (readonly number[])[],
  most: number,
  slidingWindow: number | null,
): Feed {
  if (slidingWindow === null) {
    if (!padded) return NO_BIAS;
    const bias = Float32Array.from(positions, (position) => (position === PADDING ? MASKED : 0));
    return { data: bias, dims: [owners.length, 1, width] };
  }
  const group = queryHeads / kvHeads;
  const rows = most * group;
  const bias = new Float32Array(owners.length * rows * width).fill(MASKED);
  for (let page = 0; page < owners.length; page++) {
    for (const [i, sequence] of (members[Math.floor(Number(owners[page]) / kvHeads)] ?? []).entries()) {
      const first = Math.max(0, (caches[sequence]?.length ?? 0) - slidingWindow + 1);
      for (let row = i * group; row < (i + 1) * group; row++) {
        for (let column = 0; column < width; column++) {
          if ((positions[page * width + column] ?? PADDING) >= first) bias[(page * rows + row) * width + column] = 0;
        }
      }
    }
  }
  return { data: bias, dims: [owners.length, rows, width] };
}

/** Hides what each tail has not reached yet and what is too far away; the new token sees itself: [B, 1, T + 1]. */
export function newBias(caches: readonly KvCache[], capacity: number, slidingWindow: number | null): Feed {
  const bias = new Float32Array(caches.length * (capacity + 1));
  for (const [i, { tail }] of caches.entries()) {
    const from = i * (capacity + 1);
    const far = slidingWindow === null ? 0 : Math.max(0, tail.length + 1 - slidingWindow);
    bias.fill(MASKED, from, from + far);
    bias.fill(MASKED, from + tail.length, from + capacity);
  }
  return { data: bias, dims: [caches.length, 1, capacity + 1] };
}
