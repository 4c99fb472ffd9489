import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  compress,
  everySteps,
  full,
  generate,
  generateBatch,
  type KvCache,
  type Model,
  pipeline,
  prefill,
  registry,
  step,
  streamingWindow,
  tokenOmission,
  tova,
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

test("a batch may have a policy for each cache, whatever each looks at: all are as they would be alone", async () => {
  using context = await prefill(model, prompt);
  using whole = await compress(context, full());
  const policies = [
    evict,
    null,
    tokenOmission({ budget: 15 }),
    everySteps(tova({ budget: 18 }), { every: 4 }),
    streamingWindow({ budget: "50%" }),
  ];
  const caches = policies.map((_, i) => (i % 2 === 0 ? cache : whole));
  const results = await generateBatch(model, caches, { maxNewTokens: NEW, evict: policies });
  const alone: unknown[] = [];
  for (const [i, one] of caches.entries())
    alone.push(await generate(model, one, { maxNewTokens: NEW, seed: i, evict: policies[i] ?? undefined }));
  expect<unknown>(results).toEqual(alone);
  expect(new Set(results.map(({ tokens }) => tokens.join())).size).toBe(policies.length);
});

test("a list of policies is as long as the batch", async () => {
  for (const policies of [[], [evict], [evict, null, null]]) {
    const fault = await faultOf(() => generateBatch(model, [cache, cache], { evict: policies }));
    expect(fault).toMatchObject({ code: "invalid_option", path: ["generateBatch", "evict"] });
  }
  expect(await generateBatch(model, [], { evict: [] })).toEqual([]);
});

test("what is no policy is refused by name", async () => {
  const untyped = (value: unknown) => ({ evict: value as typeof evict });
  for (const value of [5, null, "streamingwindow", {}, { evict: 5 }, streamingWindow, [5]]) {
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
  const listed = await faultOf(() => generate(model, cache, untyped([evict])));
  expect(listed).toMatchObject({ code: "invalid_option", path: ["generate", "evict"] });
});
