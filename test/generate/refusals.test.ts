import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { full, generate, type KvCache, loadModel, type Model, pipeline, prefill, step } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";
import { counted, promptOf } from "./helpers.ts";

let model: Model;
let cache: KvCache;

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  cache = (await prefill(model, promptOf(20, 1))).cache;
});
afterAll(() => model[Symbol.dispose]());

/** What callers without types may pass. */
const untyped = (options: unknown): object => options as object;

const bad = {
  maxNewTokens: [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "8", null],
  minNewTokens: [-1, 0.5, Number.NaN, "8", null],
  temperature: [-0.1, Number.NaN, Number.POSITIVE_INFINITY, "hot", null],
  topK: [-1, 2.5, Number.NaN, "3"],
  topP: [0, -1, 1.01, Number.NaN, "0.9"],
  seed: [0.5, Number.NaN, "seed"],
  stopTokens: [5, [1.5], [-1], ["a"], null],
  stopStrings: ["x", [""], [5], ["\uD83D"], null],
  signal: ["stop", {}, null],
  maxTokens: [5, undefined],
};
const badOptions = Object.entries(bad).flatMap(([name, values]) => values.map((value) => [name, value] as const));

describe("a bad option is refused by name", () => {
  test.each(badOptions)("generate: %s = %p", async (name, value) => {
    const { model: watched, steps } = counted(model);
    const fault = await faultOf(() => generate(watched, cache, untyped({ [name]: value })));
    expect(fault.code).toBe("invalid_option");
    expect(fault.path.slice(0, 2)).toEqual(["generate", name]);
    expect(fault.message).toContain(`generate.${name}`);
    expect(steps()).toBe(0);
  });

  test.each([
    ["chunk", 0],
    ["chunk", 1.5],
    ["chunk", "512"],
    ["observe", { name: "full" }],
    ["observe", ["snapkv"]],
    ["onProgress", true],
    ["signal", "stop"],
    ["method", "snapkv"],
  ])("prefill: %s = %p", async (name, value) => {
    const fault = await faultOf(() => prefill(model, promptOf(4, 1), untyped({ [name]: value })));
    expect({ code: fault.code, path: fault.path.slice(0, 2) }).toEqual({
      code: "invalid_option",
      path: ["prefill", name],
    });
  });

  test.each([
    ["threads", 0],
    ["threads", 1.5],
    ["progress", "yes"],
    ["thread", 2],
    ["onprogress", () => {}],
  ])("loadModel: %s = %p", async (name, value) => {
    const fault = await faultOf(() => loadModel("./nowhere", untyped({ [name]: value })));
    expect({ code: fault.code, path: fault.path }).toEqual({ code: "invalid_option", path: ["loadModel", name] });
  });

  test.each([
    ["maxTokens", 5],
    ["maxNewTokens", -1],
    ["chunk", 0],
    ["observe", []],
  ])("pipeline, before it runs anything: %s = %p", async (name, value) => {
    const options = untyped({ [name]: value });
    const atOnce = await faultOf(() => pipeline(model, full(), options));
    const atCall = await faultOf(() => pipeline(model, full())(promptOf(4, 1), options));
    for (const fault of [atOnce, atCall])
      expect({ code: fault.code, path: fault.path }).toEqual({ code: "invalid_option", path: ["pipeline", name] });
  });

  test("no object at all", async () => {
    for (const nothing of [null, 5, "maxNewTokens", [8]]) {
      expect((await faultOf(() => generate(model, cache, untyped(nothing)))).path).toEqual(["generate"]);
      expect((await faultOf(() => prefill(model, promptOf(4, 1), untyped(nothing)))).path).toEqual(["prefill"]);
    }
  });

  test("generate rejects rather than throws", () => {
    expect(generate(model, cache, { topK: -1 })).rejects.toThrow("generate.topK is -1, but must be an integer >= 0");
  });
});

test("an undefined option counts as left out", async () => {
  const nothing = Object.fromEntries(Object.keys(bad).map((name) => [name, undefined]));
  const { maxTokens: _, ...options } = nothing;
  expect(await generate(model, cache, untyped(options))).toEqual(await generate(model, cache));
  using context = await prefill(model, promptOf(20, 1), { observe: undefined, chunk: undefined, signal: undefined });
  expect(context.logits).toEqual(cache.logits);
});

describe("what does not fit together is refused", () => {
  test("a disposed cache", async () => {
    const gone = cache.fork();
    gone[Symbol.dispose]();
    expect((await faultOf(() => generate(model, gone))).code).toBe("disposed");
    expect((await faultOf(() => step(model, gone, 1))).code).toBe("disposed");
  });

  test("a disposed model", async () => {
    const closed = await tinyModel({ layers: 2 });
    closed[Symbol.dispose]();
    expect((await faultOf(() => generate(closed, cache))).code).toBe("disposed");
    expect((await faultOf(() => step(closed, cache, 1))).code).toBe("disposed");
    expect((await faultOf(() => prefill(closed, promptOf(4, 1)))).code).toBe("disposed");
  });

  test.each([
    ["another model", { layers: 2 }, 2],
    ["another number of layers", { layers: 3 }, 1],
    ["another number of KV heads", { layers: 2, kvHeads: 4 }, 1],
    ["another head size", { layers: 2, headDim: 16 }, 1],
  ])("a cache of %s, whatever its name", async (_name, shape, seed) => {
    using other = await tinyModel(shape, seed);
    for (const work of [() => generate(other, cache), () => step(other, cache, 1)]) {
      const fault = await faultOf(work);
      expect(fault.code).toBe("wrong_model");
      expect(fault.found).not.toBe(fault.allowed);
    }
  });

  test.each([-1, 64, 1.5, Number.NaN])("the token %p", async (token) => {
    const fault = await faultOf(() => step(model, cache, token));
    expect({ code: fault.code, found: fault.found }).toEqual({ code: "invalid_token", found: token });
    expect(cache.length).toBe(20);
  });

  test("a step beyond the context", async () => {
    using context = await prefill(model, promptOf(model.config.contextLength, 1));
    const fault = await faultOf(() => step(model, context.cache, 1));
    expect({ code: fault.code, found: fault.found }).toEqual({ code: "prompt_too_long", found: 512 });
  });
});
