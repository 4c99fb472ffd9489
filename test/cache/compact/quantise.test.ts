/** `quantise`, and the wrappers of methods: what they take and refuse, and the stages that they pass through. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import {
  compress,
  compressInBlocks,
  full,
  generate,
  type KvCache,
  type Method,
  pipeline,
  prefill,
  pyramidKV,
  quantise,
  quantised,
  snapKV,
  step,
  streamingWindow,
  thinK,
} from "../../../src/index.ts";
import { inFp32 } from "../../support/compact.ts";
import { faultOf } from "../../support/fault.ts";
import { maxDifference } from "../../support/golden.ts";
import { TOLERANCE } from "../../support/network-laws.ts";
import { sharedModel, type TinyModel, tinyModel } from "../../support/tiny-model.ts";

const prompt = Int32Array.from({ length: 120 }, (_, i) => (i * 29 + 5) % 64);

async function withCache<T>(method: Method, work: (cache: KvCache, model: TinyModel) => Promise<T>): Promise<T> {
  const model = await sharedModel({}, 1);
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  return await work(cache, model);
}

describe("quantise", () => {
  test("leaves the cache as it is", () =>
    withCache(snapKV({ budget: 80 }), async (cache, model) => {
      using reference = cache.fork();
      using small = quantise(cache, { bits: 4, recent: 1 });
      for (let i = 0; i < 40; i++) await step(model, small, i);
      expect(cache.compact).toBeNull();
      expect(await step(model, cache, 3)).toEqual(await step(model, reference, 3));
    }));

  test("is what the wrapper of the method makes", () =>
    withCache(snapKV({ budget: 80 }), async (cache, model) => {
      using context = await prefill(model, prompt);
      using wrapped = await compress(context, quantised(snapKV({ budget: 80 }), { bits: 2, recent: 9 }));
      using small = quantise(cache, { bits: 2, recent: 9 });
      expect(small.compact).toEqual(wrapped.compact);
      expect(small.bytes).toBe(wrapped.bytes);
    }));

  test("takes in generated entries, and those that an eviction left out of order, oldest first", () =>
    withCache(full(), async (cache, model) => {
      for (let i = 0; i < 40; i++) await step(model, cache, (i * 7) % 64, { evict: streamingWindow({ budget: 90 }) });
      for (let i = 0; i < 5; i++) await step(model, cache, i);
      using small = quantise(cache, { bits: 8, recent: 10 });
      using twin = inFp32(small);
      expect(small.lengths).toEqual(cache.lengths);
      expect(small.tail.length).toBe(0);
      for (const [layer, { positions }] of small.layers.entries()) {
        expect(small.positions(layer, 1)).toEqual(cache.positions(layer, 1));
        expect(Math.max(...(small.compact?.layers[layer]?.positions ?? []))).toBeLessThan(Math.min(...positions));
      }
      assert.ok(maxDifference(await step(model, small, 9), await step(model, twin, 9)) < TOLERANCE);
    }));

  test("refuses a cache that is compact already, and a policy evicts from none", () =>
    withCache(quantised(full(), { bits: 8 }), async (cache, model) => {
      expect(await faultOf(() => quantise(cache, { bits: 4 }))).toMatchObject({
        code: "invalid_option",
        path: ["quantise", "cache"],
      });
      const evict = streamingWindow({ budget: 50 });
      const fault = { code: "invalid_option", path: ["evict"] };
      const { length } = cache;
      expect(await faultOf(() => step(model, cache, 1, { evict }))).toMatchObject(fault);
      expect(cache.length).toBe(length);
      expect(await faultOf(async () => await generate(model, cache, { maxNewTokens: 2, evict }))).toMatchObject(fault);
    }));

  for (const options of [
    {},
    { bits: 3 },
    { bits: "4" },
    { bits: 4, recent: 0 },
    { bits: 4, recent: 1.5 },
    { bits: 4, group: 64 },
  ]) {
    test(`refuses ${JSON.stringify(options)} by name`, () =>
      withCache(full(), async (cache) => {
        const at = (name: string) => ({
          code: "invalid_option",
          path: [name, "recent" in options ? "recent" : "group" in options ? "group" : "bits"],
        });
        // @ts-expect-error: what a caller without types may write
        expect(await faultOf(() => quantise(cache, options))).toMatchObject(at("quantise"));
        // @ts-expect-error: likewise
        expect(await faultOf(() => quantised(full(), options))).toMatchObject(at("quantised"));
      }));
  }

  test("refuses a disposed cache", () =>
    withCache(full(), async (cache) => {
      cache[Symbol.dispose]();
      expect(await faultOf(() => quantise(cache, { bits: 8 }))).toMatchObject({ code: "disposed" });
    }));
});

describe("a wrapped method", () => {
  test("is named and recorded with its form, in whatever order it is wrapped", () => {
    const inner = snapKV({ budget: 64 });
    const both = quantised(thinK(inner, { keep: 0.5, window: 40 }), { bits: 4 });
    expect(both.name).toBe("snapkv-think-int4");
    expect(both.options).toEqual({
      ...inner.options,
      think: { keep: 0.5, window: 40 },
      quantised: { bits: 4, recent: 32 },
    });
    expect(both.form).toEqual(thinK(quantised(inner, { bits: 4 }), { keep: 0.5, window: 40 }).form);
    expect(both.form).toEqual({ bits: 4, recent: 40, channels: { keep: 0.5, window: 40 } });
    expect(both.needs.queries).toBe(40);
    expect(both.allocate).toBe(inner.allocate);
  });

  test("of a factory is a factory", () => {
    expect(quantised(pyramidKV, { bits: 8 })({ budget: 64, beta: 10 })).toMatchObject({
      name: "pyramidkv-int8",
      budget: 64,
      options: { beta: 10, quantised: { bits: 8, recent: 32 } },
    });
    expect(quantised(full, { bits: 8 })({}).name).toBe("full-int8");
  });

  for (const options of [{ keep: 0 }, { keep: 1.1 }, { window: 0 }, { recent: 3 }]) {
    test(`refuses ${JSON.stringify(options)} for thinK by name`, async () => {
      const [name = ""] = Object.keys(options);
      expect(await faultOf(() => thinK(full(), options))).toMatchObject({
        code: "invalid_option",
        path: ["think", name],
      });
    });
  }

  test("is compressed in blocks, and piped, as in one go", async () => {
    const model = await sharedModel({}, 1);
    const method = quantised(thinK(snapKV({ budget: 70 }), { window: 4 }), { bits: 8, recent: 3 });
    using context = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(context, method);
    using inBlocks = await compressInBlocks(model, prompt, method, { block: 50, working: 120 });
    expect(inBlocks.lengths).toEqual(cache.lengths);
    expect(inBlocks.bytes).toBe(cache.bytes);
    assert.ok(maxDifference(await step(model, inBlocks, 5), await step(model, cache.fork(), 5)) < TOLERANCE);
    const answer = await pipeline(model, method, { maxNewTokens: 40 })(prompt);
    expect(answer.bytes).toBe(cache.bytes);
    expect(answer.tokens).toEqual((await generate(model, cache, { maxNewTokens: 40 })).tokens);
  });
});

test("on a thread of its own the network reads the same codes", async () => {
  const method = quantised(snapKV({ budget: 80 }), { bits: 4, recent: 1 });
  const logits: Float32Array[] = [];
  for (const worker of [false, true]) {
    using model = await tinyModel({}, 1, { worker });
    using context = await prefill(model, prompt);
    using cache = await compress(context, method);
    logits.push(await step(model, cache, 7));
  }
  expect(logits[1]).toEqual(logits[0] ?? new Float32Array(0));
});
