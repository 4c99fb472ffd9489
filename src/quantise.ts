/** Quantises a cache, after whatever method compressed it. */
import { z } from "zod";
import type { KvCache } from "./cache/cache.ts";
import { type QuantiseOptions, quantiseShape } from "./methods/quantised.ts";
import { checked, invalid } from "./options.ts";

const schema = z.object(quantiseShape);

/**
 * A fork of a cache whose older entries are quantised as in KIVI: keys per channel in groups of 32 tokens, values per token in groups of 32
 * channels (of all, where 32 does not divide them), each group with a scale and an offset in fp32. Each KV head has its own count,
 * so any eviction may go before. Generated tokens follow, 32 at a time: of each head, recent + 63 entries at most are in fp32.
 *
 * A quantised entry of d channels takes d * bits / 4 bytes for its codes, and d / 2 for scales and offsets, rather than 8 d: 31 % of
 * fp32 at 8 bits, 19 % at 4, 13 % at 2. The graph reads the codes, and what they stand for is there for one layer at a time.
 * SmolLM2-135M, SnapKV: 2.9, 2.3 and 2.0 MB rather than 5.9 at 128 entries, 15.8, 10.1 and 7.2 rather than 47.2 at 1,024. A step takes
 * about 40 ms of CPU rather than 30 there, and 51 to 56 rather than 33; to quantise 1,024 entries 0.5 s (1 thread, 2026-11).
 * The CPU engine steps such a cache alone in a batch, the GPU engine with the others; a decoding policy cannot evict from it. On a device,
 * codes are there as in memory, and once more in memory, where generated entries join them.
 *
 * @throws KvError `invalid_option` for options, and for a cache with compact entries; `on_device` where its numbers are not in memory; `disposed`
 * @see https://arxiv.org/abs/2402.02750
 */
export function quantise(cache: KvCache, options: QuantiseOptions): KvCache {
  const form = checked(schema, options, "quantise");
  if (cache.compact === null) return cache.inForm({ ...form, channels: null });
  throw invalid(["quantise", "cache"], "a cache with compact entries", "one whose entries are all in fp32");
}
