import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { compress, generate, type KvCache, type Model, prefill, registry, step } from "../../src/index.ts";
import { argmax } from "../../src/tensor.ts";
import { tinyModel } from "../support/tiny-model.ts";
import { counted, promptOf } from "./helpers.ts";

const NEW = 12;
let model: Model;
/** What `snapKV` kept of a prompt: ragged enough to notice a mix-up of positions. */
let cache: KvCache;
/** The greedy continuation, made with nothing but `step`. */
let greedy: number[];

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  using context = await prefill(model, promptOf(40, 1));
  cache = await compress(context, registry.snapkv({ budget: 20 }));
  using fork = cache.fork();
  greedy = [argmax(fork.logits)];
  while (greedy.length < NEW) greedy.push(argmax(await step(model, fork, greedy.at(-1) ?? 0)));
});
afterAll(() => model[Symbol.dispose]());

const tokensOf = async (items: AsyncIterable<{ readonly token: number }>) =>
  (await Array.fromAsync(items)).map(({ token }) => token);

describe("generate", () => {
  test("is `step` on the most likely token, again and again", async () => {
    const { tokens, text, finishReason, seed } = await generate(model, cache, { maxNewTokens: NEW });
    expect(tokens).toEqual(greedy);
    expect({ text, finishReason, seed }).toEqual({ text: "", finishReason: "length", seed: 0 });
  });

  test("gives the same tokens to whoever awaits and whoever reads, early or late", async () => {
    const run = generate(model, cache, { maxNewTokens: NEW });
    const [first, second, whole] = await Promise.all([tokensOf(run), tokensOf(run), run]);
    expect([first, second, await tokensOf(run), whole.tokens]).toEqual([greedy, greedy, greedy, greedy]);
  });

  test("stops decoding when its reader leaves", async () => {
    const { model: watched, steps } = counted(model);
    const run = generate(watched, cache, { maxNewTokens: 300 });
    const seen: number[] = [];
    for await (const { token } of run) {
      seen.push(token);
      if (seen.length === 3) break;
    }
    const { tokens, finishReason } = await run;
    expect({ tokens, finishReason }).toEqual({ tokens: greedy.slice(0, 3), finishReason: "left" });
    expect(seen).toEqual(greedy.slice(0, 3));
    expect(steps()).toBe(2);
  });

  test("leaves the cache it was given as it is", async () => {
    const look = () => ({
      length: cache.length,
      bytes: cache.bytes,
      lengths: cache.lengths,
      positions: cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)])),
      logits: [...cache.logits],
    });
    const before = look();
    const { tokens } = await generate(model, cache, { maxNewTokens: NEW });
    expect(look()).toEqual(before);
    expect((await generate(model, cache, { maxNewTokens: NEW })).tokens).toEqual(tokens);
  });

  test("goes on although its cache is disposed meanwhile", async () => {
    const own = cache.fork();
    const run = generate(model, own, { maxNewTokens: NEW });
    own[Symbol.dispose]();
    expect((await run).tokens).toEqual(greedy);
  });

  test("runs of one model do not disturb each other", async () => {
    const runs = await Promise.all(["a", "b", "c"].map(() => generate(model, cache, { maxNewTokens: NEW })));
    expect(runs.map(({ tokens }) => tokens)).toEqual([greedy, greedy, greedy]);
  });

  test("draws with its seed", async () => {
    const draw = async (seed: number) =>
      (await generate(model, cache, { maxNewTokens: 20, temperature: 2, seed })).tokens;
    expect(await draw(3)).toEqual(await draw(3));
    expect(await draw(3)).not.toEqual(await draw(4));
    expect((await generate(model, cache, { maxNewTokens: 1, temperature: 2, seed: 3 })).seed).toBe(3);
  });
});

describe("a generation ends", () => {
  test.each([
    [0, 0],
    [1, 0],
    [2, 1],
  ])("after maxNewTokens = %d, for which it takes %d steps", async (maxNewTokens, expected) => {
    const { model: watched, steps } = counted(model);
    const run = generate(watched, cache, { maxNewTokens });
    expect(await tokensOf(run)).toEqual(greedy.slice(0, maxNewTokens));
    expect(await run).toEqual({
      text: "",
      tokens: greedy.slice(0, maxNewTokens),
      finishReason: "length",
      seed: 0,
      evict: null,
    });
    expect(steps()).toBe(expected);
  });

  test("at a stop token, which is not given: the model's, or those asked for, or none", async () => {
    const stop = greedy[4] ?? -1;
    const until = greedy.slice(0, greedy.indexOf(stop));
    const stopping: Model = { ...model, config: { ...model.config, eosTokens: [stop] } };
    const ends = async (at: Model, stopTokens?: number[]) => {
      const { tokens, finishReason } = await generate(at, cache, { maxNewTokens: NEW, stopTokens });
      return { tokens, finishReason };
    };
    expect(await ends(stopping)).toEqual({ tokens: until, finishReason: "stop" });
    expect(await ends(model, [63, stop])).toEqual({ tokens: until, finishReason: "stop" });
    expect(await ends(stopping, [])).toEqual({ tokens: greedy, finishReason: "length" });
  });

  test("at no stop token before minNewTokens: the best that is none is taken instead", async () => {
    const first = greedy[0] ?? -1;
    using fork = cache.fork();
    const runnerUp = argmax(fork.logits.map((logit, token) => (token === first ? Number.NEGATIVE_INFINITY : logit)));
    const run = (minNewTokens: number) =>
      generate(model, cache, { maxNewTokens: 6, minNewTokens, stopTokens: [first], temperature: 0 });
    expect((await run(0)).tokens).toEqual([]);
    expect((await run(1)).tokens[0]).toBe(runnerUp);
    const { tokens, finishReason } = await run(6);
    expect({ count: tokens.length, finishReason }).toEqual({ count: 6, finishReason: "length" });
    expect(tokens).not.toContain(first);
    expect(argmax(cache.logits)).toBe(first);
  });

  test("where the model's context ends", async () => {
    const { contextLength } = model.config;
    for (const room of [0, 1, 3]) {
      using context = await prefill(model, promptOf(contextLength - room, 2));
      using compressed = await compress(context, registry.window({ budget: 16 }));
      for (const full of [context.cache, compressed]) {
        const { tokens, finishReason } = await generate(model, full, { maxNewTokens: 20 });
        expect({ count: tokens.length, finishReason }).toEqual({ count: room + 1, finishReason: "context" });
      }
    }
  });
});
