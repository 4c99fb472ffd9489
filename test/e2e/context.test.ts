import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  asPublished,
  compress,
  generate,
  h2o,
  type Method,
  type Model,
  prefill,
  pyramidKV,
  registry,
  snapKV,
  step,
} from "../../src/index.ts";
import { promptOf } from "../generate/helpers.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";

const BUDGET = 36;
const options = { maxNewTokens: 10 };
const methods = Object.entries(registry).map(([name, make]) => [name, make({ budget: BUDGET })] as const);
const A = promptOf(90, 1);

let model: Model;
beforeAll(async () => {
  model = await tinyModel();
});
afterAll(() => model[Symbol.dispose]());

async function byHand(method: Method, prompt: Int32Array) {
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  return await generate(model, cache, options);
}

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
