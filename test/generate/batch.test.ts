import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Context,
  compress,
  generate,
  generateBatch,
  type KvCache,
  prefill,
  snapKV,
  step,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { type TinyModel, tinyModel } from "../support/tiny-model.ts";
import { counted, promptOf } from "./helpers.ts";

let model: TinyModel;
let caches: KvCache[];

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  const method = snapKV({ budget: 12 });
  const contexts: Context[] = [];
  for (const seed of [1, 2]) contexts.push(await prefill(model, promptOf(20 + seed, seed), { observe: [method] }));
  const tailed = await compress(contexts[0] ?? (await prefill(model, promptOf(20, 1))), method);
  await step(model, tailed, 5);
  caches = [...contexts.map(({ cache }) => cache), tailed, tailed.fork()];
});
afterAll(() => model[Symbol.dispose]());

describe("a batch of generations", () => {
  test.each([
    { maxNewTokens: 12, seed: 0 },
    { maxNewTokens: 0, seed: 0 },
    { maxNewTokens: 9, temperature: 1.5, seed: 3, topK: 20 },
  ])("gives each what it would be given alone, with its own seed: %p", async ({ seed, ...options }) => {
    const results = await generateBatch(model, caches, { ...options, seed });
    expect(results.length).toBe(caches.length);
    for (const [i, cache] of caches.entries()) {
      expect(results[i]).toEqual(await generate(model, cache, { ...options, seed: seed + i }));
    }
  });

  test("runs as one step for all", async () => {
    let runs = 0;
    const engine: TinyModel["engine"] = {
      ...model.engine,
      step: (batch) => {
        runs++;
        return model.engine.step(batch);
      },
    };
    await generateBatch({ ...model, engine }, caches, { maxNewTokens: 6 });
    expect(runs).toBe(5);
  });

  test("ends each on its own: stop tokens, and the others go on", async () => {
    const alone = await Promise.all(caches.map((cache) => generate(model, cache, { maxNewTokens: 12 })));
    const stop = alone[0]?.tokens[4] ?? 0;
    const { model: watched, steps } = counted(model);
    const results = await generateBatch(watched, caches, { maxNewTokens: 12, stopTokens: [stop] });
    const expected = alone.map(({ tokens }) =>
      tokens.includes(stop) ? tokens.slice(0, tokens.indexOf(stop)) : tokens,
    );
    expect(results.map(({ tokens }) => tokens)).toEqual(expected);
    expect(results[0]?.finishReason).toBe("stop");
    expect(steps()).toBe(
      results.reduce((sum, { tokens, finishReason }) => sum + tokens.length - (finishReason === "length" ? 1 : 0), 0),
    );
  });

  test("ends a sequence whose context is full, and the others go on", async () => {
    const long = await prefill(model, promptOf(model.config.contextLength - 2, 3));
    const results = await generateBatch(model, [long.cache, ...caches], { maxNewTokens: 8 });
    expect(results.map(({ tokens, finishReason }) => `${tokens.length} ${finishReason}`)).toEqual([
      "3 context",
      ...caches.map(() => "8 length"),
    ]);
  });

  test("streams every token with its index", async () => {
    const run = generateBatch(model, caches, { maxNewTokens: 7 });
    const seen: number[][] = caches.map(() => []);
    for await (const { index, token } of run) seen[index]?.push(token);
    expect(seen).toEqual((await run).map(({ tokens }) => [...tokens]));
  });

  test("may hold the same cache twice, and leaves it as it was", async () => {
    const [cache] = caches;
    if (cache === undefined) throw new Error("no cache");
    const { length, bytes } = cache;
    const [first, second] = await generateBatch(model, [cache, cache], { maxNewTokens: 5 });
    expect(first?.tokens).toEqual(second?.tokens ?? []);
    expect({ length: cache.length, bytes: cache.bytes }).toEqual({ length, bytes });
  });

  test("of none is none", async () => expect(await generateBatch(model, [])).toEqual([]));

  test("stops when its reader leaves, with what there is", async () => {
    const run = generateBatch(model, caches, { maxNewTokens: 300 });
    let count = 0;
    for await (const _ of run) if (++count === 6) break;
    const results = await run;
    expect(results.map(({ finishReason }) => finishReason)).toEqual(caches.map(() => "left"));
    expect(Math.max(...results.map(({ tokens }) => tokens.length))).toBeLessThan(5);
  });

  test("stops at an abort", async () => {
    const controller = new AbortController();
    const run = generateBatch(model, caches, { maxNewTokens: 300, signal: controller.signal });
    const fault = await faultOf(async () => {
      for await (const _ of run) controller.abort();
    });
    expect({ code: fault.code, path: fault.path }).toEqual({ code: "aborted", path: ["generateBatch", "signal"] });
  });

  test("refuses a bad option by name", async () => {
    const fault = await faultOf(() => generateBatch(model, caches, { topK: -1 }));
    expect({ code: fault.code, path: fault.path }).toEqual({ code: "invalid_option", path: ["generateBatch", "topK"] });
  });
});
