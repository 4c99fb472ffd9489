import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  asPublished,
  compress,
  generate,
  h2o,
  type Method,
  type Model,
  pipeline,
  prefill,
  pyramidKV,
  registry,
  snapKV,
  step,
} from "../../src/index.ts";
import { promptOf } from "../generate/helpers.ts";
import { byteTokenizer } from "../support/chunk-tokenizer.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";

const BUDGET = 24;
const options = { maxNewTokens: 10 };
const methods = Object.entries(registry).map(([name, make]) => [name, make({ budget: BUDGET })] as const);
const [A, B, C] = [promptOf(90, 1), promptOf(60, 2), promptOf(20, 3)] as const;

let model: Model;
beforeAll(async () => {
  model = await tinyModel();
});
afterAll(() => model[Symbol.dispose]());

async function byHand(method: Method, prompt: Int32Array) {
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  const { lengths: kept, bytes } = cache;
  return { ...(await generate(model, cache, options)), kept, bytes };
}

describe.each(methods)("the pipeline of %s", (_name, method) => {
  test("is prefill, compress and generate", async () => {
    const ask = pipeline(model, method, options);
    for (const prompt of [A, B, C]) expect(await ask(prompt)).toEqual(await byHand(method, prompt));
  });

  test("keeps nothing of one prompt for the next", async () => {
    const ask = pipeline(model, method, options);
    const first = await ask(A);
    await ask(B);
    await ask(C, { temperature: 2, maxNewTokens: 3 });
    expect(await ask(A)).toEqual(first);
  });

  test("answers several prompts at a time as it does one by one", async () => {
    const ask = pipeline(model, method, options);
    const prompts = [A, B, A, C];
    const together = await Promise.all(prompts.map((prompt) => ask(prompt)));
    for (const [i, prompt] of prompts.entries()) expect(together[i]).toEqual(await ask(prompt));
  });
});

test("answers say what was kept: exactly the budget, or everything", async () => {
  const kept = await Promise.all(methods.map(async ([, method]) => (await pipeline(model, method, options)(A)).kept));
  const totals = kept.map((layers) => layers.flat().reduce((a, b) => a + b, 0));
  expect(totals).toEqual(methods.map(([name]) => (name === "full" ? A.length : BUDGET) * 3 * 2));
});

describe("a pipeline's options", () => {
  test("those of a call go before its own, and undefined is none", async () => {
    const ask = pipeline(model, snapKV({ budget: BUDGET }), options);
    expect((await ask(A, { maxNewTokens: 3 })).tokens).toHaveLength(3);
    expect((await ask(A, { maxNewTokens: undefined })).tokens).toHaveLength(10);
    expect((await ask(A)).tokens).toHaveLength(10);
  });

  test("are its own: changing the object afterwards changes nothing", async () => {
    const own = { maxNewTokens: 4 };
    const ask = pipeline(model, snapKV({ budget: BUDGET }), own);
    own.maxNewTokens = 8;
    expect((await ask(A)).tokens).toHaveLength(4);
  });

  test("reach the stage they belong to", async () => {
    const done: number[] = [];
    const ask = pipeline(model, snapKV({ budget: BUDGET }), { chunk: 40, onProgress: (count) => done.push(count) });
    const { finishReason, seed } = await ask(A, { maxNewTokens: 1, seed: 5, temperature: 1 });
    expect({ done, finishReason, seed }).toEqual({ done: [40, 80, 90], finishReason: "length", seed: 5 });
    const controller = new AbortController();
    const onProgress = (count: number) => {
      done.push(count);
      controller.abort();
    };
    expect((await faultOf(() => ask(A, { signal: controller.signal, onProgress }))).code).toBe("aborted");
    expect(done).toEqual([40, 80, 90, 40]);
  });
});

describe("a prompt", () => {
  const refused: [string, unknown, string, (string | number)[]][] = [
    ["that is empty", new Int32Array(0), "empty_prompt", ["prompt"]],
    ["of no characters", "", "empty_prompt", ["prompt"]],
    ["longer than the context", new Int32Array(513), "prompt_too_long", ["prompt"]],
    ["with a negative token", Int32Array.of(1, -1), "invalid_token", ["prompt", 1]],
    ["with a token beyond the vocabulary", Int32Array.of(1, 2, 64), "invalid_token", ["prompt", 2]],
    ["of floats", Float32Array.of(1, 2), "invalid_option", ["prompt"]],
    ["that is a plain list", [1, 2], "invalid_option", ["prompt"]],
    ["that is missing", undefined, "invalid_option", ["prompt"]],
    ["that is null", null, "invalid_option", ["prompt"]],
  ];

  test.each(refused)("%s is refused", async (_name, prompt, code, path) => {
    const speaking: Model = { ...model, tokenizer: byteTokenizer };
    const work = () => pipeline(speaking, snapKV({ budget: BUDGET }))(prompt as Int32Array);
    const fault = await faultOf(work);
    expect({ code: String(fault.code), path: [...fault.path] }).toEqual({ code, path });
  });

  test("of text is encoded, and needs a tokenizer", async () => {
    const fault = await faultOf(() => prefill(model, "hello"));
    expect(fault.code).toBe("tokenizer_missing");
    expect(fault.message).toContain("Int32Array");
    const speaking: Model = { ...model, tokenizer: byteTokenizer };
    using context = await prefill(speaking, "\u0001\u0002\u0003");
    expect([...context.tokens]).toEqual([1, 2, 3]);
  });

  test("as long as the context is not refused", async () => {
    const { tokens, finishReason } = await pipeline(model, snapKV({ budget: BUDGET }), options)(promptOf(512, 4));
    expect({ count: tokens.length, finishReason }).toEqual({ count: 1, finishReason: "context" });
  });

  test("is copied: changing the array afterwards changes nothing", async () => {
    const own = A.slice();
    const running = prefill(model, own, { chunk: 10 });
    own.fill(0);
    using context = await running;
    expect(context.tokens).toEqual(A);
    using expected = await prefill(model, A, { chunk: 10 });
    expect(context.logits).toEqual(expected.logits);
  });
});

describe("what was not observed", () => {
  test("h2o says what to pass", async () => {
    const method = h2o({ budget: BUDGET });
    using context = await prefill(model, A, { observe: [snapKV({ budget: BUDGET })] });
    const fault = await faultOf(() => compress(context, method));
    expect(fault.code).toBe("observation_missing");
    expect(fault.message).toContain("observe");
    using seen = await prefill(model, A, { observe: [snapKV({ budget: BUDGET }), method] });
    using cache = await compress(seen, method);
    expect(cache.lengths.flat()).toEqual(new Array(6).fill(BUDGET));
  });

  test.each([
    ["snapkv", snapKV],
    ["pyramidkv", pyramidKV],
  ])("a window of %s beyond the last 64 tokens does too", async (_name, make) => {
    const within = make({ budget: 80, window: 64 });
    const beyond = make({ budget: 80, window: 65 });
    using context = await prefill(model, A);
    using cache = await compress(context, within);
    expect(cache.lengths.flat().reduce((a, b) => a + b, 0)).toBe(80 * 6);
    const fault = await faultOf(() => compress(context, beyond));
    expect(fault.code).toBe("observation_missing");
    expect(fault.message).toContain("observe");
    using wide = await prefill(model, A, { observe: [beyond] });
    using more = await compress(wide, beyond);
    expect(more.lengths.flat().reduce((a, b) => a + b, 0)).toBe(80 * 6);
  });

  test("a budget that cannot be met is refused by the method itself", async () => {
    for (const make of [snapKV, pyramidKV, h2o]) {
      const fault = await faultOf(() => make({ budget: 8 }));
      expect({ code: fault.code, option: fault.path[1] }).toEqual({ code: "budget_too_small", option: "budget" });
    }
    for (const budget of [0.5, -1, Number.NaN])
      expect((await faultOf(() => snapKV({ budget }))).path).toEqual(["snapkv", "budget"]);
  });
});

describe("a context", () => {
  test("is not changed by decoding on its cache: compress gives the prompt's entries", async () => {
    const method = snapKV({ budget: BUDGET });
    using context = await prefill(model, A);
    using before = await compress(context, method);
    for (const token of [5, 6, 7]) await step(model, context.cache, token);
    expect(context.cache.length).toBe(A.length + 3);
    using after = await compress(context, method);
    expect({ length: after.length, bytes: after.bytes, lengths: after.lengths }).toEqual({
      length: before.length,
      bytes: before.bytes,
      lengths: before.lengths,
    });
    const continued = await Promise.all([before, after].map((cache) => generate(model, cache, options)));
    expect(continued[1]).toEqual(continued[0]);
  });

  test("serves every method from one prefill", async () => {
    const all = [...methods.map(([, method]) => method), asPublished.kvcacheFactory.pyramidKV({ budget: BUDGET })];
    using context = await prefill(model, A, { observe: all });
    for (const method of all) {
      using cache = await compress(context, method);
      expect((await generate(model, cache, options)).tokens).toEqual((await byHand(method, A)).tokens);
    }
  });

  test("is over after its disposal, and says so; its compressed caches are not", async () => {
    const method = snapKV({ budget: BUDGET });
    const context = await prefill(model, A);
    using cache = await compress(context, method);
    const expected = await byHand(method, A);
    context[Symbol.dispose]();
    context[Symbol.dispose]();
    for (const use of [
      () => compress(context, method),
      () => context.layers,
      () => context.observation,
      () => context.cache.lengths,
      () => generate(model, context.cache),
      () => step(model, context.cache, 1),
    ])
      expect((await faultOf(use)).code).toBe("disposed");
    expect((await generate(model, cache, options)).tokens).toEqual(expected.tokens);
  });
});
