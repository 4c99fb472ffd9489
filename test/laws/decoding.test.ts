/** Every registered decoding policy: what goes is gone, for this cache alone, whatever is decoded beside it. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { compress, full, generate, generateBatch, policies, prefill } from "../../src/index.ts";
import { smallestBudget } from "../support/method-laws.ts";
import { onNetworks } from "../support/network-laws.ts";
import { assertSeenAsHeld, heldBy, onStreams } from "../support/streams.ts";

const ELEMENT_BYTES = 4;
const PAGE = 16;

for (const [name, factory] of Object.entries(policies)) {
  describe(name, () => {
    test("after every token a head holds what it held and the token, less what is above the budget", () =>
      onStreams(factory, {
        after: ({ stream: { cache, policy, held }, before, position }) => {
          const budget = policy?.budget ?? Number.POSITIVE_INFINITY;
          for (const [layer, heads] of before.entries()) {
            for (const [head, earlier] of heads.entries()) {
              const now = held[layer]?.[head] ?? [];
              assert.equal(now.length, Math.min(budget, earlier.length + 1));
              assert.equal(cache.lengths[layer]?.[head], now.length);
              const possible = new Set([...earlier, position]);
              assert.ok(now.every((kept, i) => possible.has(kept) && kept > (now[i - 1] ?? -1)));
            }
          }
        },
      }));

    test("a token attends to what was held before it, and to nothing else: alone, in batches, and as a fork", () =>
      onStreams(factory, {
        end: ({ model, streams }) => {
          for (const stream of streams) assertSeenAsHeld(model, stream);
        },
      }));

    test("what one cache lets go of, its forks and originals keep", () =>
      onStreams(factory, {
        after: (_, { streams }) => {
          for (const { cache, held } of streams) assert.deepEqual(heldBy(cache), held);
        },
      }));

    test("memory is what is held, and a tail's pages for the tokens since the last eviction, after every token", () =>
      onStreams(factory, {
        after: ({ stream: { cache, held, recent } }) => {
          const heads = held.flat();
          const entries = heads.reduce((sum, { length }) => sum + length - recent, 0);
          const capacity = PAGE * 2 ** Math.max(0, Math.ceil(Math.log2(recent / PAGE)));
          assert.equal(cache.bytes, (entries + capacity * heads.length) * cache.geometry.headDim * 2 * ELEMENT_BYTES);
        },
      }));

    test("a budget that is never exceeded changes no token", () =>
      onNetworks(full, async ({ model, context }) => {
        const options = { maxNewTokens: 20, temperature: 1.5 };
        const evict = factory({ budget: Math.max(smallestBudget(factory), context.length + 19) });
        const { tokens } = await generate(model, context.cache, options);
        assert.deepEqual((await generate(model, context.cache, { ...options, evict })).tokens, tokens);
      }));

    test("a batch of generations gives each what it would be given alone, and leaves the caches as they are", () =>
      onNetworks(
        full,
        async ({ model, context, next }) => {
          using other = await prefill(model, Int32Array.from([...context.tokens, ...next]));
          using whole = await compress(context, full());
          const caches = [whole, other.cache, whole];
          const options = {
            maxNewTokens: 24,
            temperature: 1.5,
            evict: factory({ budget: smallestBudget(factory) + 3 }),
          };
          const before = caches.map(heldBy);
          const results = await generateBatch(model, caches, options);
          for (const [i, cache] of caches.entries()) {
            assert.deepEqual(results[i], await generate(model, cache, { ...options, seed: i }));
          }
          assert.deepEqual(caches.map(heldBy), before);
        },
        10,
      ));
  });
}
