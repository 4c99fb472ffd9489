/** Keys at positions packed within the cache, under every registered method. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { retained } from "../../src/funnel/index.ts";
import {
  adaKV,
  compress,
  compressInBlocks,
  d2oMerge,
  full,
  generate,
  type KvCache,
  loadCache,
  type Method,
  type MethodFactory,
  merged,
  packed,
  prefill,
  quantise,
  quantised,
  registry,
  saveCache,
  snapKV,
  step,
  streamingWindow,
  thinK,
} from "../../src/index.ts";
import { scratch } from "../model/helpers.ts";
import { keptBytes } from "../support/cache-bytes.ts";
import { inFp32 } from "../support/compact.ts";
import { maxDifference } from "../support/golden.ts";
import { onNetworks } from "../support/network-laws.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { sharedModel, tinyModel } from "../support/tiny-model.ts";

const TOLERANCE = 1e-4;
const RUNS = 12;

const originsIn = (cache: KvCache) =>
  cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.origins(layer, head)]));
const positionsOf = (cache: KvCache) =>
  cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)]));

// Keys are turned in memory whatever chose them, and the GPU's software device is slow.
const { snapkv, adakv } = registry;
const methods = process.env.PYRAMIDKV_ENGINE === "webgpu" ? { snapkv, adakv } : registry;

for (const [name, factory] of Object.entries<MethodFactory>(methods)) {
  describe(`packed ${name}`, () => {
    test("decodes as if its kept tokens stood side by side", () =>
      onNetworks(
        factory,
        async ({ model, context, budget, next }) => {
          const method = factory({ budget });
          using plain = await compress(context, method);
          using cache = await compress(context, packed(method));
          const kept = positionsOf(plain);
          const end = Math.max(...kept.flat().map(({ length }) => length));
          expect(cache.length).toBe(end);
          expect(positionsOf(cache)).toEqual(
            kept.map((heads) => heads.map(({ length }) => Array.from({ length }, (_, i) => end - length + i))),
          );
          expect(cache.lengths).toEqual(plain.lengths);
          for (const one of [cache, plain]) expect(one.bytes).toBe(keptBytes(model, one.lengths, one.device !== null));
          expect(originsIn(cache)).toEqual(kept);
          expect(retained(cache)).toEqual(retained(plain));
          const n = context.length;
          const places = kept.map((heads) =>
            heads.map((own) => new Map(own.map((position, i) => [position, end - own.length + i]))),
          );
          const place = (layer: number, head: number, token: number) =>
            token >= n ? end + token - n : places[layer]?.[head]?.get(token);
          const expected = referenceLogits(
            model.config,
            model.weights,
            [...context.tokens, ...next],
            (layer, head, query, key) => query < n || place(layer, head, key) !== undefined,
            {
              distance: (layer, head, query, key) =>
                query < n ? query - key : end + query - n - (place(layer, head, key) ?? Number.NEGATIVE_INFINITY),
            },
          );
          for (const [i, token] of next.entries()) {
            const logits = await step(model, cache, token);
            expect(maxDifference(logits, expected[n + i] ?? [])).toBeLessThan(TOLERANCE);
          }
        },
        RUNS,
      ));

    test("leaves a prompt that fits as it is", () =>
      onNetworks(
        factory,
        async ({ model, context }) => {
          const method = packed(factory({ budget: context.length }));
          using cache = await compress(context, method);
          expect(cache.length).toBe(context.length);
          using copy = await cache.inMemory();
          expect(copy.layers).toEqual([...(await context.read())]);
          const options = { maxNewTokens: 3 };
          expect(await generate(model, cache, options)).toEqual(await generate(model, context.cache, options));
        },
        5,
      ));
  });
}

describe("packing", () => {
  test("is told by the method, and changes nothing else of it", () => {
    const method = snapKV({ budget: 64 });
    const { name, options, packed: told, ...rest }: Method = packed(method);
    const { name: plain, options: plainOptions, ...others } = method;
    expect({ name, options, told }).toEqual({
      name: "packed(snapkv)",
      options: { ...plainOptions, packed: true },
      told: true,
    });
    expect(rest).toEqual(others);
    expect(plain).toBe("snapkv");
  });

  test("forgets no token's place in the text: after steps, an eviction, in a fork, in a form, saved", async () => {
    const model = await sharedModel({}, 1);
    const prompt = Int32Array.from({ length: 120 }, (_, i) => (7 * i) % 64);
    const method = snapKV({ budget: 50 });
    using context = await prefill(model, prompt);
    using plain = await compress(context, method);
    using cache = await compress(context, packed(method));
    for (const token of [1, 2, 3]) {
      for (const one of [plain, cache]) await step(model, one, token);
      expect({ origins: originsIn(cache), seen: cache.seen }).toEqual({
        origins: positionsOf(plain),
        seen: plain.length,
      });
    }
    using folder = scratch();
    const path = join(folder.path, "packed.safetensors");
    await saveCache(cache, path, { model });
    using loaded = await loadCache(model, path);
    using copy = await cache.inMemory();
    using small = quantise(copy, { bits: 4, recent: 4 });
    using fork = cache.fork();
    for (const one of [loaded.cache, small, fork]) expect(originsIn(one)).toEqual(positionsOf(plain));
    for (const one of [fork, loaded.cache]) {
      const known = new Map(
        cache
          .positions(0, 0)
          .entries()
          .map(([i, at]) => [at, cache.origins(0, 0)[i]]),
      );
      await step(model, one, 9, { evict: streamingWindow({ budget: 30, sinks: 2 }) });
      const left = [...one.positions(0, 0)];
      expect(left).toHaveLength(30);
      expect([...one.origins(0, 0)]).toEqual(left.map((at) => known.get(at) ?? 123));
    }
  });

  test("and quantising, pruning, merging go together in any order", async () => {
    const model = await sharedModel({ headDim: 16 }, 1);
    const prompt = Int32Array.from({ length: 150 }, (_, i) => (11 * i) % 64);
    const inner = merged(adaKV({ budget: 90 }), d2oMerge());
    const form = { bits: 4, recent: 8 } as const;
    for (const [one, other] of [
      [packed(quantised(inner, form)), quantised(packed(inner), form)],
      [packed(thinK(inner, { window: 8 })), thinK(packed(inner), { window: 8 })],
      [merged(quantised(adaKV({ budget: 90 }), form), d2oMerge()), quantised(inner, form)],
    ] as const) {
      using context = await prefill(model, prompt, { observe: [one, other] });
      using first = await compress(context, one);
      using second = await compress(context, other);
      expect(first.compact).not.toBeNull();
      expect({ compact: first.compact, layers: first.layers }).toEqual({
        compact: second.compact,
        layers: second.layers,
      });
      using twin = inFp32(first);
      for (const token of [3, 4]) {
        const expected = await step(model, twin, token);
        expect(maxDifference(await step(model, first, token), expected)).toBeLessThan(TOLERANCE);
      }
    }
  });

  test("turns the queries, too, that judge which channels of packed keys stay", async () => {
    const model = await sharedModel({ layers: 1, headDim: 64 }, 1);
    for (const seed of [3, 5, 7, 11]) {
      const prompt = Int32Array.from({ length: 150 }, (_, i) => (seed * i + i * i) % 64);
      // A lowest layer knows nothing of tokens before: packed, a window is a prompt that begins with it.
      using long = await prefill(model, prompt);
      using short = await prefill(model, prompt.subarray(90));
      using moved = await compress(long, thinK(packed(registry.window({ budget: 60 })), { window: 8 }));
      using alone = await compress(short, thinK(full(), { window: 8 }));
      expect(moved.compact?.form.channels).toEqual(alone.compact?.form.channels);
    }
  });

  test("goes on where the context would have ended, also after blocks", async () => {
    using model = await tinyModel({ contextLength: 40 });
    const prompt = Int32Array.from({ length: 40 }, (_, i) => (7 * i) % 64);
    const method = packed(snapKV({ budget: 16 }));
    using context = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(context, method);
    expect((await generate(model, cache, { maxNewTokens: 30 })).finishReason).toBe("context");
    expect((await generate(model, cache, { maxNewTokens: 24 })).tokens).toHaveLength(24);
    using blocks = await compressInBlocks(model, prompt, method, { block: 16, working: 20 });
    expect(blocks.length).toBe(16);
    using whole = await compressInBlocks(model, prompt, method, { block: 16, working: Number.POSITIVE_INFINITY });
    expect(await generate(model, whole, { maxNewTokens: 9 })).toEqual(
      await generate(model, cache, { maxNewTokens: 9 }),
    );
  });
});
