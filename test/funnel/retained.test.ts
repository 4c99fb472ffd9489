import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { retained } from "../../src/funnel/index.ts";
import { compress, type KvCache, prefill, pyramidKV, retain, step } from "../../src/index.ts";
import { maxDifference } from "../support/golden.ts";
import { uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

const LAYERS = 2;
const HEADS = 2;
const model = () => sharedModel({ layers: LAYERS, kvHeads: HEADS }, 1);

/** A cache in which every head holds what a coin says, and one position at least. */
const trials = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  length: fc.integer({ min: 1, max: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 59 }), { maxLength: 6 }),
});

async function raggedCache({ seed, length }: { seed: number; length: number }): Promise<KvCache> {
  using context = await prefill(
    await model(),
    Int32Array.from({ length }, (_, i) => i),
  );
  const coin = uniform(seed);
  const held = () => Int32Array.from({ length }, (_, j) => j).filter((j) => j === seed % length || coin() < 0.4);
  return await retain(
    context,
    Array.from({ length: LAYERS }, () => Array.from({ length: HEADS }, held)),
  );
}

describe("what a cache retained", () => {
  test("is the share of heads that hold a position, by the cache's own word", () =>
    holds(trials, async (trial) => {
      using cache = await raggedCache(trial);
      const shares = retained(cache);
      assert.deepEqual([shares.length, shares[0]?.length], [LAYERS, trial.length]);
      shares.forEach((layer, l) => {
        layer.forEach((share, position) => {
          const holders = [0, 1].filter((head) => cache.positions(l, head).includes(position));
          assert.equal(share, holders.length / HEADS);
        });
      });
    }));

  test("adds up to the entries held, in whatever bins", () =>
    holds(trials, async (trial) => {
      using cache = await raggedCache(trial);
      const { length } = trial;
      const edges = [...new Set([0, ...trial.cuts.filter((cut) => cut < length), length])].sort((a, b) => a - b);
      const whole = retained(cache);
      retained(cache, edges).forEach((layer, l) => {
        const sizes = edges.slice(1).map((edge, b) => edge - (edges[b] ?? 0));
        const entries = layer.reduce((sum, share, b) => sum + share * (sizes[b] ?? 0) * HEADS, 0);
        const held = (cache.lengths[l] ?? []).reduce((sum, count) => sum + count, 0);
        assert.ok(Math.abs(entries - held) < 1e-9);
        const means = sizes.map((size, b) => {
          const part = whole[l]?.slice(edges[b], edges[b + 1]) ?? [];
          return part.reduce((sum, share) => sum + share, 0) / size;
        });
        assert.ok(maxDifference(layer, means) < 1e-12);
      });
    }));

  test("is everything in a full cache, the window under every method, and knows no generated tokens beyond its edges", async () => {
    const tokens = Int32Array.from({ length: 40 }, (_, i) => i);
    using context = await prefill(await model(), tokens);
    assert.ok(
      retained(context.cache)
        .flat()
        .every((share) => share === 1),
    );
    using cache = await compress(context, pyramidKV({ budget: 12 }));
    await step(await model(), cache, 5);
    const shares = retained(cache, [0, 32, 40]);
    assert.ok(shares.every(([earlier = 1, window]) => earlier < 1 && window === 1));
    assert.ok((shares[0]?.[0] ?? 0) > (shares[1]?.[0] ?? 1), "a pyramid keeps more in the lowest layer");
    assert.equal(retained(cache)[0]?.length, 41);
  });

  test("is refused for edges that do not ascend from 0", async () => {
    using cache = await raggedCache({ seed: 1, length: 8 });
    for (const edges of [
      [1, 8],
      [0, 4, 4],
      [0, 5, 3],
      [0, 2.5],
      [0, Number.NaN],
      [-1, 3],
    ]) {
      assert.throws(() => retained(cache, edges), { name: "KvError", code: "invalid_option" });
    }
    assert.deepEqual(retained(cache, [0]), [[], []]);
  });
});
