/**
 * What the decoder graph is fed for one token of a sequence alone, whose heads hold equally many entries in every layer.
 *
 * Most of it stays from step to step: views of the kept entries, and of the tail with room to grow. So it is made once for
 * where a cache's entries lie, and goes when they go: with the cache, or when an eviction moves them.
 */
import type { KvCache } from "../../cache/cache.ts";
import { isUniform, type LayerEntries } from "../../cache/layer.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { newBias } from "./batch/feeds.ts";
import { Tails } from "./batch/tails.ts";
import { YES } from "./flags.ts";
import { biasName } from "./inputs.ts";
import { MASKED } from "./masks.ts";
import type { Feeds } from "./rows.ts";

interface Lasting {
  readonly tails: Tails;
  readonly feeds: Feeds;
}

/** Feeds for caches that are decoded alone. */
export class TokenFeeds {
  readonly #config: ModelConfig;
  /** By `cache.layout`. */
  readonly #lasting = new WeakMap<object, Lasting>();

  constructor(config: ModelConfig) {
    this.#config = config;
  }

  /** null for a cache with a layer whose heads hold unequally many entries. */
  of(cache: KvCache): Feeds | null {
    const known = this.#lasting.get(cache.layout);
    if (known === undefined && !cache.layers.every(isUniform)) return null;
    const { tails, feeds } = known?.tails.fits([cache]) ? known : this.#make(cache);
    tails.refresh([cache]);
    const { slidingWindow } = this.#config;
    const changing: Feeds = {};
    for (const window of new Set(slidingWindow)) changing[biasName(window)] = newBias([cache], tails.capacity, window);
    for (const [layer, entries] of cache.layers.entries()) {
      const window = slidingWindow[layer] ?? null;
      if (window !== null) changing[`past.bias.${layer}`] = this.#inSight(entries, cache.length - window);
    }
    return { ...feeds, ...changing };
  }

  #make(cache: KvCache): Lasting {
    const { kvHeads, headDim } = this.#config;
    const tails = new Tails([cache], this.#config);
    const counts = cache.layers.map(({ positions }) => positions.length / kvHeads);
    const sizes = BigInt64Array.from(
      counts.flatMap((count) => [count, tails.capacity, 1]),
      BigInt,
    );
    const feeds: Feeds = { token: YES, sizes: { data: sizes, dims: [sizes.length] } };
    for (const [layer, { keys, values }] of cache.layers.entries()) {
      const past = [1, kvHeads, counts[layer] ?? 0, headDim];
      const tail = [kvHeads, tails.capacity, headDim];
      feeds[`past.k.${layer}`] = { data: keys, dims: past };
      feeds[`past.v.${layer}`] = { data: values, dims: past };
      feeds[`tail.k.${layer}`] = { data: tails.side(layer, 0), dims: tail };
      feeds[`tail.v.${layer}`] = { data: tails.side(layer, 1), dims: tail };
    }
    const lasting = { tails, feeds };
    this.#lasting.set(cache.layout, lasting);
    return lasting;
  }

  /** Hides entries at and before a position: [KH, 1, P]. */
  #inSight({ positions }: LayerEntries, last: number): Feed {
    const { kvHeads } = this.#config;
    const data = Float32Array.from(positions, (position) => (position > last ? 0 : MASKED));
    return { data, dims: [kvHeads, 1, positions.length / kvHeads] };
  }
}
