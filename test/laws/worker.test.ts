/** A worker changes nothing: every number of every stage is, to the bit, the one that is computed on the caller's thread. */
import { test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Context, compress, generate, generateBatch, type KvCache, prefill } from "../../src/index.ts";
import { compressors } from "../support/compressors.ts";
import { holds } from "../support/seed.ts";
import { type TinyModel, tinyModel } from "../support/tiny-model.ts";

const token = fc.integer({ min: 0, max: 63 });

/** Few, because a thread takes longer to start than a trial. */
const shapes = [
  { layers: 1, queryHeads: 4, kvHeads: 4, slidingWindow: null },
  { layers: 2, queryHeads: 6, kvHeads: 2, slidingWindow: null },
  { layers: 3, queryHeads: 4, kvHeads: 2, slidingWindow: 11 },
  { layers: 2, queryHeads: 3, kvHeads: 1, slidingWindow: 4 },
];

const trials = fc.record({
  shape: fc.constantFrom(...shapes),
  prompt: fc.array(token, { minLength: 12, maxLength: 70 }),
  chunk: fc.constantFrom(5, 16, 512),
  budget: fc.integer({ min: 9, max: 40 }),
  count: fc.integer({ min: 1, max: 20 }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

/** Models live as long as the tests: a trial then costs milliseconds. */
const models = new Map<string, Promise<TinyModel>>();

function modelOf({ shape }: Trial, worker: boolean): Promise<TinyModel> {
  const key = JSON.stringify([shape, worker]);
  const model = models.get(key) ?? tinyModel(shape, 1, { worker });
  models.set(key, model);
  return model;
}

const bits = (data: Float32Array | undefined) =>
  Buffer.from(data?.buffer ?? new ArrayBuffer(0), data?.byteOffset, data?.byteLength).toString("base64");

const ofCache = (cache: KvCache) => ({
  lengths: cache.lengths,
  positions: cache.places.map((_, layer) => [...cache.positions(layer, 0)]),
  entries: cache.layers.flatMap(({ keys, values }) => [bits(keys), bits(values)]),
  tail: bits(cache.tail.data),
  logits: bits(cache.logits),
});

const ofContext = (context: Context) => ({
  ...ofCache(context.cache),
  queries: context.observation.queries.map(({ data }) => bits(data)),
  columnSums: (context.observation.columnSums ?? []).map(({ data }) => bits(data)),
});

/** All that comes of a prompt: its context, each method's cache, and what these are continued with, alone and together. */
async function outcome(model: TinyModel, { prompt, chunk, budget, count }: Trial) {
  const methods = Object.values(compressors).map((factory) => factory({ budget: Math.min(budget, prompt.length) }));
  using context = await prefill(model, Int32Array.from(prompt), { observe: methods, chunk });
  const caches: KvCache[] = [];
  for (const method of methods) caches.push(await compress(context, method));
  const before = caches.map(ofCache);
  const alone = [];
  for (const cache of caches) {
    using fork = cache.fork();
    alone.push(await generate(model, fork, { maxNewTokens: count }), ofCache(fork));
  }
  const together = await generateBatch(model, caches, { maxNewTokens: count });
  return { context: ofContext(context), before, alone, together, after: caches.map(ofCache) };
}

test("in a worker: prompts, caches, continuations and batches are the same to the bit", () =>
  holds(
    trials,
    async (trial) => {
      const [here, there] = [await modelOf(trial, false), await modelOf(trial, true)];
      assert.deepEqual(await outcome(there, trial), await outcome(here, trial));
    },
    30,
  ));

test("in a worker: what is asked for at once is as what is asked for in turns", () =>
  holds(
    fc.tuple(trials, fc.array(fc.array(token, { minLength: 12, maxLength: 40 }), { minLength: 2, maxLength: 4 })),
    async ([trial, prompts]) => {
      const [here, there] = [await modelOf(trial, false), await modelOf(trial, true)];
      const all = prompts.map((prompt) => ({ ...trial, prompt }));
      const expected = [];
      for (const one of all) expected.push(await outcome(here, one));
      assert.deepEqual(await Promise.all(all.map((one) => outcome(there, one))), expected);
    },
    6,
  ));
