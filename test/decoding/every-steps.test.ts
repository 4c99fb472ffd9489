/** A method run again every so many tokens: what it keeps is what it would keep of a prompt that long. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { LayerEntries } from "../../src/cache/layer.ts";
import {
  adaKV,
  compress,
  everySteps,
  generate,
  h2o,
  KvCache,
  KvError,
  knorm,
  type MethodFactory,
  prefill,
  pyramidKV,
  registry,
  snapKV,
  step,
  streamingLLM,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { smallestBudget } from "../support/method-laws.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";
import { heldBy } from "../support/streams.ts";
import { sharedModel, tinyModel } from "../support/tiny-model.ts";

const token = fc.integer({ min: 0, max: 63 });
const trials = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom([4, 2] as const, [3, 3] as const, [3, 1] as const),
  prompt: fc.array(token, { minLength: 1, maxLength: 40 }),
  next: fc.array(token, { minLength: 8, maxLength: 20 }),
  room: fc.integer({ min: 0, max: 30 }),
});

const entries = (cache: KvCache) => sum(cache.lengths.flat());

/** Whether it is a method that every few steps can be run again: eight, as few as a trial has. */
function takes(method: MethodFactory): boolean {
  try {
    everySteps(method({ budget: 100 }), { every: 8 });
    return true;
  } catch (fault) {
    if (fault instanceof KvError && fault.code === "invalid_option") return false;
    throw fault;
  }
}

for (const [name, factory] of Object.entries(registry)) {
  const method: MethodFactory = factory;
  if (!takes(method)) continue;
  test(`${name}: the first run keeps what compress keeps of all tokens so far`, () =>
    holds(
      trials,
      async ({ layers, heads: [queryHeads, kvHeads], prompt, next, room }) => {
        const model = await sharedModel({ layers, queryHeads, kvHeads }, 5);
        const made = method({ budget: smallestBudget(method) + room });
        const evict = everySteps(made, { every: next.length });
        using context = await prefill(model, Int32Array.from(prompt));
        const { cache } = context;
        for (const [i, one] of next.entries()) {
          expect(new Set(cache.lengths.flat())).toEqual(new Set([prompt.length + i]));
          await step(model, cache, one, { evict });
        }
        using whole = await prefill(model, Int32Array.from([...prompt, ...next]), { observe: [made] });
        using compressed = await compress(whole, made);
        assert.deepEqual(heldBy(cache), heldBy(compressed));
      },
      15,
    ));
}

describe("runs", () => {
  for (const [label, method] of [
    ["a pyramid", pyramidKV],
    ["adaptive heads", adaKV],
    ["equal heads", snapKV],
  ] as const)
    test(`${label}: every one leaves exactly the budget, and between two nothing goes`, async () => {
      const model = await sharedModel({ layers: 3, queryHeads: 4, kvHeads: 2 }, 5);
      const every = 9;
      const evict = everySteps(method({ budget: 20 }), { every });
      using context = await prefill(
        model,
        Int32Array.from({ length: 50 }, (_, i) => (i * 23) % 64),
      );
      const { cache } = context;
      for (let done = 1; done <= 5 * every; done++) {
        const before = entries(cache);
        await step(model, cache, (done * 7) % 64, { evict });
        expect(entries(cache)).toBe(done % every === 0 ? 20 * 6 : before + 6);
      }
    });

  test("heads of unequal lengths are scored one by one", async () => {
    const model = await sharedModel({ layers: 2, queryHeads: 4, kvHeads: 2 }, 5);
    using context = await prefill(
      model,
      Int32Array.from({ length: 60 }, (_, i) => (i * 23) % 64),
    );
    using cache = await compress(context, adaKV({ budget: 16 }));
    assert.ok(new Set(cache.lengths.flat()).size > 1);
    const evict = everySteps(knorm({ budget: 12 }), { every: 4 });
    for (let i = 0; i < 3; i++) await step(model, cache, i, { evict });
    using fork = cache.fork();
    await step(model, fork, 3);
    await step(model, cache, 3, { evict });
    using copy = await fork.inMemory();
    for (const [layer, heads] of heldBy(fork).entries())
      for (const [head, positions] of heads.entries()) {
        const length = (position: number) => Math.hypot(...keyOf(copy, layer, head, position));
        const shortest = positions.toSorted((a, b) => length(a) - length(b)).slice(0, 12);
        expect([...cache.positions(layer, head)]).toEqual(shortest.sort((a, b) => a - b));
      }
  });

  test("neighbours are neighbours by position, in whatever slots they lie", async () => {
    const model = await sharedModel({ layers: 2, queryHeads: 4, kvHeads: 2 }, 5);
    using context = await prefill(
      model,
      Int32Array.from({ length: 50 }, (_, i) => (i * 23) % 64),
    );
    const { cache } = context;
    const evict = everySteps(snapKV({ budget: 24 }), { every: 8 });
    const run = async (one: KvCache, from: number) => {
      for (let i = 0; i < 8; i++) await step(model, one, (from + i * 5) % 64, { evict });
    };
    for (const from of [1, 2, 3]) await run(cache, from);
    assert.ok(
      cache.places.some(({ positions }) => positions.some((position, i) => position < (positions[i - 1] ?? 0))),
    );
    using copy = await cache.inMemory();
    using ordered = new KvCache({ ...contentsOf(cache), layers: copy.layers.map(inOrder) });
    await run(ordered, 4);
    await run(cache, 4);
    assert.deepEqual(heldBy(cache), heldBy(ordered));
  });

  test("a share of the tokens seen is exact after each", async () => {
    const model = await sharedModel({ layers: 2, queryHeads: 4, kvHeads: 2 }, 5);
    using context = await prefill(
      model,
      Int32Array.from({ length: 50 }, (_, i) => i),
    );
    const evict = everySteps(snapKV({ budget: 12 }), { every: 8, budget: "40%" });
    for (let done = 1; done <= 24; done++) {
      await step(model, context.cache, done, { evict });
      if (done % 8 === 0) expect(entries(context.cache)).toBe(Math.round(0.4 * (50 + done)) * 4);
    }
  });
});

const contentsOf = ({ model, geometry, length, logits }: KvCache) => ({ model, geometry, length, logits });

/** The same entries, each head's ascending by position. */
function inOrder({ keys, values, positions, offsets }: LayerEntries): LayerEntries {
  const d = keys.length / positions.length;
  const order = Array.from(positions.keys()).sort((a, b) => {
    const head = (i: number) => offsets.findIndex((from) => from > i);
    return head(a) - head(b) || (positions[a] ?? 0) - (positions[b] ?? 0);
  });
  const rows = (data: Float32Array) => Float32Array.from(order.flatMap((i) => [...data.subarray(i * d, (i + 1) * d)]));
  return {
    keys: rows(keys),
    values: rows(values),
    positions: positions.map((_, i) => positions[order[i] ?? 0] ?? 0),
    offsets,
  };
}

/** A key as it was computed: of the prompt's or the tail's entries. */
function keyOf(
  { layers, tail, length, geometry }: KvCache,
  layer: number,
  head: number,
  position: number,
): Float32Array {
  const { headDim, kvHeads } = geometry;
  const row = position - (length - tail.length);
  if (row >= 0) {
    const from = (((row * geometry.layers + layer) * 2 + 0) * kvHeads + head) * headDim;
    return tail.data.subarray(from, from + headDim);
  }
  const { positions, offsets, keys } = layers[layer] ?? assert.fail();
  const at = (offsets[head] ?? 0) + positions.subarray(offsets[head], offsets[head + 1]).indexOf(position);
  return keys.subarray(at * headDim, (at + 1) * headDim);
}

test("it says what it is in results, and what it is made of", async () => {
  using model = await tinyModel({ layers: 1 });
  using context = await prefill(model, Int32Array.of(1, 2, 3));
  const { evict } = await generate(model, context.cache, {
    maxNewTokens: 4,
    evict: everySteps(streamingLLM({ budget: 32 }), { every: 2 }),
  });
  expect(evict).toEqual({ name: "everysteps", options: { every: 2, method: "streamingllm", budget: 32, sinks: 4 } });
});

test.each([
  ["sums over all queries", () => everySteps(h2o({ budget: 32 })), "invalid_option", ["everysteps", "method"]],
  [
    "too short a rhythm",
    () => everySteps(snapKV({ budget: 32 }), { every: 7 }),
    "invalid_option",
    ["everysteps", "every"],
  ],
  ["no rhythm", () => everySteps(knorm({ budget: 32 }), { every: 0 }), "invalid_option", ["everysteps", "every"]],
  ["too little", () => everySteps(snapKV({ budget: 32 }), { budget: 8 }), "budget_too_small", ["everysteps", "budget"]],
  [
    "no budget of its own",
    () => everySteps(streamingLLM({ budget: 32 }), { budget: 40 }),
    "invalid_option",
    ["everysteps", "budget"],
  ],
] as const)("it refuses %s", async (_, make, code, path) => {
  const fault = await faultOf(make);
  expect({ code: fault.code, path: fault.path }).toEqual({ code, path: [...path] });
});

test("on a model with a sliding window it is refused before any token is taken in", async () => {
  using model = await tinyModel({ layers: 1, slidingWindow: 8 });
  using context = await prefill(model, Int32Array.of(1, 2, 3));
  const fault = await faultOf(() => step(model, context.cache, 1, { evict: everySteps(knorm({ budget: 2 })) }));
  expect({ code: fault.code, path: fault.path, length: context.cache.length }).toEqual({
    code: "invalid_option",
    path: ["everysteps", "slidingWindow"],
    length: 3,
  });
});
