import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels } from "../../kernels/index.ts";
import { gathered } from "../../src/cache/gathered.ts";
import { rowFeeds } from "../../src/engine/onnx/rows.ts";
import { RotaryTables } from "../../src/engine/rotary-tables.ts";
import {
  compress,
  generate,
  generateBatch,
  KvCache,
  prefill,
  registry,
  step,
  streamingWindow,
  tokenOmission,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { maxDifference } from "../support/golden.ts";
import { TOLERANCE } from "../support/network-laws.ts";
import { tinyConfig } from "../support/random-model.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { holds } from "../support/seed.ts";
import { type Held, heldBy, onStreams } from "../support/streams.ts";
import { sharedModel, tinyModel } from "../support/tiny-model.ts";

/** The sinks that are left, and the most recent. */
function expected(positions: readonly number[], budget: number, sinks: number): number[] {
  const first = positions.filter((position) => position < sinks);
  const rest = positions.filter((position) => position >= sinks).sort((a, b) => a - b);
  return [...first, ...rest.slice(Math.max(0, rest.length - (budget - first.length)))].sort((a, b) => a - b);
}

/** One head that holds these positions, in this order. */
function cacheOf(positions: readonly number[]): KvCache {
  const count = positions.length;
  const [keys, values] = [new Float32Array(count), new Float32Array(count)];
  const layers = [{ keys, values, positions: Int32Array.from(positions), offsets: Int32Array.of(0, count) }];
  const geometry = { layers: 1, kvHeads: 1, headDim: 1 };
  return new KvCache({ model: "none", geometry, layers, length: 61, logits: new Float32Array(1) });
}
const nowhere = {
  kernels: referenceKernels(),
  config: tinyConfig({ layers: 1 }),
  outputProjection: () => assert.fail(),
  turn: () => {},
};

describe("streamingWindow", () => {
  test("keeps the sinks that a head still holds and the most recent, whatever order they lie in", () =>
    holds(
      fc.record({
        positions: fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 50 }),
        sinks: fc.integer({ min: 0, max: 8 }),
        recent: fc.integer({ min: 1, max: 30 }),
      }),
      async ({ positions, sinks, recent }) => {
        const budget = sinks + recent;
        fc.pre(positions.length > budget);
        using cache = cacheOf(positions);
        await cache.evict(streamingWindow({ budget, sinks }), nowhere);
        assert.deepEqual([...cache.positions(0, 0)], expected(positions, budget, sinks));
      },
      300,
    ));

  for (const sinks of [0, 1, 4]) {
    test(`with ${sinks} sinks each head holds, after every token, exactly those and the most recent`, () =>
      onStreams(
        ({ budget }) => streamingWindow({ budget, sinks }),
        {
          after: ({ stream: { policy, held }, before, position }) => {
            const budget = policy?.target(position + 1) ?? Number.POSITIVE_INFINITY;
            const kept = before.map((heads) => heads.map((ofHead) => expected([...ofHead, position], budget, sinks)));
            assert.deepEqual(held, kept);
          },
        },
        { runs: 25 },
      ));
  }

  test("records its options, defaults filled in", () => {
    const { name, options } = streamingWindow({ budget: 16 });
    expect({ name, options }).toEqual({
      name: "streamingwindow",
      options: { budget: 16, sinks: 4, positions: "true" },
    });
  });

  test.each([
    [{ budget: 4 }, "budget_too_small", "budget"],
    [{ budget: 1, sinks: 1 }, "budget_too_small", "budget"],
    [{ budget: 0, sinks: 0 }, "budget_too_small", "budget"],
    [{ budget: 8.5 }, "invalid_option", "budget"],
    [{ budget: Number.POSITIVE_INFINITY }, "invalid_option", "budget"],
    [{ budget: 8, sinks: -1 }, "invalid_option", "sinks"],
    [{ budget: 8, sink: 2 }, "invalid_option", "sink"],
  ])("refuses %p by name", async (options, code, option) => {
    const fault = await faultOf(() => streamingWindow(options));
    expect({ code: fault.code, path: fault.path }).toMatchObject({ code, path: ["streamingwindow", option] });
  });
});

describe("streamingWindow with positions in the cache", () => {
  const CONTEXT = 64;

  for (const kept of ["full", "snapkv", "adakv"] as const)
    test(`after ${kept}: once something went, a token sees what is held side by side before it, alone and in batches`, () =>
      holds(
        fc.record({
          heads: fc.constantFrom([4, 2] as const, [3, 1] as const),
          prompt: fc.array(fc.integer({ min: 0, max: 63 }), { minLength: 20, maxLength: 40 }),
          sinks: fc.integer({ min: 0, max: 4 }),
          recent: fc.integer({ min: 1, max: 12 }),
          neighbours: fc.integer({ min: 0, max: 2 }),
          next: fc.array(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 30 }),
        }),
        async ({ heads: [queryHeads, kvHeads], prompt, sinks, recent, neighbours, next }) => {
          const model = await sharedModel({ layers: 2, queryHeads, kvHeads }, 4);
          const method = registry[kept]({ budget: 14 });
          using context = await prefill(model, Int32Array.from(prompt), { observe: [method] });
          using cache = await compress(context, method);
          const beside = Array.from({ length: neighbours }, () => cache.fork());
          const evict = streamingWindow({ budget: sinks + recent, sinks, positions: "cache" });
          const before = new Map<number, Held>();
          const packed = new Set<number>();
          const results: Float32Array[] = [];
          for (const [i, token] of next.entries()) {
            const position = prompt.length + i;
            before.set(position, heldBy(cache));
            if (cache.places.every(({ turned }) => turned !== undefined)) packed.add(position);
            const batch = [cache, ...beside].map((one) => ({ cache: one, token }));
            const [logits = new Float32Array(0)] = await model.engine.step(batch);
            results.push(logits);
            await cache.evict(evict, model.engine);
          }
          const ofQuery = (query: number, layer: number, head: number) => before.get(query)?.[layer]?.[head] ?? [];
          const expected = referenceLogits(
            model.config,
            model.weights,
            [...prompt, ...next],
            (layer, head, query, key) =>
              query < prompt.length || key === query || ofQuery(query, layer, head).includes(key),
            {
              distance: (layer, head, query, key) =>
                packed.has(query) ? ofQuery(query, layer, head).filter((held) => held >= key).length : query - key,
            },
          );
          for (const [i, logits] of results.entries())
            assert.ok(maxDifference(logits, expected[prompt.length + i] ?? []) < TOLERANCE, `token ${i}`);
        },
        20,
      ));

  test("a stream goes on past the model's context, as in a model that has more of it", async () => {
    const evict = streamingWindow({ budget: 12, sinks: 2, positions: "cache" });
    const generated = await Promise.all(
      [CONTEXT, 512].map(async (contextLength) => {
        using model = await tinyModel({ layers: 2, contextLength });
        using context = await prefill(
          model,
          Int32Array.from({ length: 30 }, (_, i) => (i * 7) % 64),
        );
        const options = { maxNewTokens: 200, temperature: 1.5, stopTokens: [], evict };
        const alone = await generate(model, context.cache, options);
        const [first, second] = await generateBatch(model, [context.cache, context.cache], options);
        assert.deepEqual(first, alone);
        assert.notDeepEqual(second?.tokens, alone.tokens);
        return alone;
      }),
    );
    expect(generated.map(({ finishReason, tokens }) => [finishReason, tokens.length])).toEqual([
      ["length", 200],
      ["length", 200],
    ]);
    expect(generated[0]?.tokens).toEqual(generated[1]?.tokens);
  });

  test("it ends with the context where nothing went yet, or the cache alone fills it", async () => {
    using model = await tinyModel({ layers: 1, contextLength: CONTEXT });
    for (const budget of [CONTEXT - 1, CONTEXT]) {
      using context = await prefill(
        model,
        Int32Array.from({ length: 30 }, (_, i) => i),
      );
      const evict = streamingWindow({ budget, positions: "cache" });
      const { finishReason } = await generate(model, context.cache, { maxNewTokens: 200, stopTokens: [], evict });
      expect(finishReason).toBe(budget < CONTEXT ? "length" : "context");
    }
  });

  test("every key is turned to where its entry says, whichever policies take turns", async () => {
    using model = await tinyModel({ layers: 1 });
    using context = await prefill(
      model,
      Int32Array.from({ length: 30 }, (_, i) => (i * 7) % 64),
    );
    using cache = context.cache.fork();
    const policies = [streamingWindow({ budget: 12, sinks: 2, positions: "cache" }), tokenOmission({ budget: 12 })];
    for (let i = 0; i < 24; i++) {
      await step(model, context.cache, (i * 11) % 64);
      const evict = policies[Math.floor(i / 4) % 2] ?? assert.fail();
      await step(model, cache, (i * 11) % 64, { evict });
    }
    // Keys of the lowest layer depend on their token alone.
    using copy = await cache.inMemory();
    using whole = await context.cache.inMemory();
    const [held = assert.fail()] = copy.layers;
    const { headDim } = model.config;
    let moved = 0;
    for (const [slot, position] of held.positions.entries()) {
      const head = held.offsets.findIndex((from) => from > slot) - 1;
      const by = position - (held.turned?.[slot] ?? Number.NaN);
      const key = held.keys.slice(slot * headDim, (slot + 1) * headDim);
      model.engine.turn(0, key, by);
      const { tail, layers, geometry, length } = whole;
      const stored = { layers, tail, geometry, length };
      assert.ok(maxDifference(key, gathered(stored, 0, head, [position], 0)) < TOLERANCE, `position ${position}`);
      if (by !== 0) moved++;
    }
    assert.ok(moved > 0);
  });

  test("it ends with the context where few entries are held, but at their true positions", async () => {
    using model = await tinyModel({ layers: 1, contextLength: CONTEXT });
    using context = await prefill(
      model,
      Int32Array.from({ length: 60 }, (_, i) => i),
    );
    using cache = await compress(context, registry.snapkv({ budget: 10 }));
    const evict = streamingWindow({ budget: 40, positions: "cache" });
    const { finishReason } = await generate(model, cache, { maxNewTokens: 20, stopTokens: [], evict });
    expect(finishReason).toBe("context");
  });

  test("angles beyond the context are of the tokens at hand, not of all positions", async () => {
    const config = tinyConfig({ contextLength: CONTEXT });
    const rows = { embeddings: new Float32Array(2 * config.hiddenSize), logitsFrom: 0, queriesFrom: null };
    const table = new RotaryTables(config);
    const { cos, positions } = rowFeeds(config, table, { ...rows, positions: Int32Array.of(7, 1_000_000) });
    expect([cos?.dims[0], positions?.data]).toEqual([2, BigInt64Array.of(0n, 1n)]);
    expect(cos?.data[config.headDim / 2]).toBeCloseTo(Math.cos(1_000_000), 6);
  });

  test("on a model with a sliding window it is refused", async () => {
    using model = await tinyModel({ layers: 1, slidingWindow: 8 });
    using context = await prefill(model, Int32Array.of(1, 2, 3));
    const evict = streamingWindow({ budget: 8, positions: "cache" });
    const fault = await faultOf(() => generate(model, context.cache, { evict }));
    expect(fault.path).toEqual(["streamingwindow", "slidingWindow"]);
  });
});
