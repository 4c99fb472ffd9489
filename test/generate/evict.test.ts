import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  compress,
  generate,
  generateBatch,
  type KvCache,
  type Model,
  pipeline,
  prefill,
  registry,
  step,
  streamingWindow,
} from "../../src/index.ts";
import { argmax } from "../../src/tensor.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";
import { promptOf } from "./helpers.ts";

const NEW = 30;
const evict = streamingWindow({ budget: 12, sinks: 2 });
const prompt = promptOf(40, 1);
const method = registry.snapkv({ budget: 20 });
let model: Model;
let cache: KvCache;
/** The greedy continuation, made with nothing but `step`. */
let greedy: number[];

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  using context = await prefill(model, prompt);
  cache = await compress(context, method);
  using fork = cache.fork();
  greedy = [argmax(fork.logits)];
  while (greedy.length < NEW) greedy.push(argmax(await step(model, fork, greedy.at(-1) ?? 0, { evict })));
  expect(fork.lengths.flat()).toEqual(cache.lengths.flat().map(() => 12));
});
afterAll(() => model[Symbol.dispose]());

test("generate, generateBatch and pipeline evict as `step` does, and say so beside their tokens", async () => {
  const options = { maxNewTokens: NEW, evict };
  const expected = {
    tokens: greedy,
    evict: { name: "streamingwindow", options: { budget: 12, sinks: 2, positions: "true" } },
  };
  expect(await generate(model, cache, options)).toMatchObject(expected);
  for (const result of await generateBatch(model, [cache, cache], options)) expect(result).toMatchObject(expected);
  expect(await pipeline(model, method, options)(prompt)).toMatchObject(expected);
  expect(await pipeline(model, method, { evict })(prompt, { maxNewTokens: NEW })).toMatchObject(expected);
});

test("without it nothing goes, and the tokens are others", async () => {
  const { tokens, evict: none } = await generate(model, cache, { maxNewTokens: NEW });
  expect(none).toBe(null);
  expect(tokens).not.toEqual(greedy);
});

test("a stream ends where the model's context does, because positions are true", async () => {
  using context = await prefill(model, promptOf(model.config.contextLength - 20, 2));
  const { tokens, finishReason } = await generate(model, context.cache, { maxNewTokens: 100, evict });
  expect({ count: tokens.length, finishReason }).toEqual({ count: 21, finishReason: "context" });
});

test("what is no policy is refused by name", async () => {
  const untyped = (value: unknown) => ({ evict: value as typeof evict });
  for (const value of [5, null, "streamingwindow", {}, { evict: 5 }, streamingWindow]) {
    for (const [name, work] of [
      ["generate", () => generate(model, cache, untyped(value))],
      ["generateBatch", () => generateBatch(model, [cache], untyped(value))],
      ["step", () => step(model, cache, 1, untyped(value))],
      ["pipeline", () => pipeline(model, method, untyped(value))],
    ] as const) {
      const fault = await faultOf(work);
      expect({ code: fault.code, path: fault.path }).toEqual({ code: "invalid_option", path: [name, "evict"] });
    }
  }
});
