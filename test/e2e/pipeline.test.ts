import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { compress, generate, type Method, type Model, pipeline, prefill, registry, snapKV } from "../../src/index.ts";
import { promptOf } from "../generate/helpers.ts";
import { byteTokenizer } from "../support/chunk-tokenizer.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";

const BUDGET = 36;
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
