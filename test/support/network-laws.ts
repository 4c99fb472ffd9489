/**
 * What a whole network must obey under every method: `await assertNetworkLaws(myMethod)`.
 *
 * The laws run the real engine on tiny random models of many shapes, and compare it with the plain-TypeScript decoder or with
 * itself under full attention. They import no test runner, so any runner can call them.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { byLayer } from "../../src/compress-by-layer.ts";
import {
  type Context,
  compress,
  compressByLayer,
  full,
  generate,
  type KvCache,
  type MethodFactory,
  prefill,
  step,
} from "../../src/index.ts";
import { keptBytes, tailBytes } from "./cache-bytes.ts";
import { maxDifference } from "./golden.ts";
import { smallestBudget } from "./method-laws.ts";
import type { NetworkKind, Windows } from "./random-model.ts";
import { referenceLogits } from "./reference-decoder.ts";
import { runsOf, SEED } from "./seed.ts";
import { sharedModel, type TinyModel } from "./tiny-model.ts";

/** A prompt on a tiny model, prefilled with everything observed that the method needs. */
export interface NetworkTrial {
  readonly model: TinyModel;
  readonly context: Context;
  /** Between what the method needs at least and the prompt's length. */
  readonly budget: number;
  /** Tokens to decode after the prompt. */
  readonly next: readonly number[];
  /** Tokens that were prefilled at once, at most. */
  readonly chunk: number;
}

export const TOLERANCE = 1e-4;
const ELEMENT_BYTES = 4;
const token = fc.integer({ min: 0, max: 63 });

/** Prompts a little longer than the smallest budget, so that most budgets between the two evict something. */
const arbitrary = (least: number) =>
  fc.record({
    layers: fc.integer({ min: 1, max: 3 }),
    heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [6, 2] as const, [3, 1] as const),
    headDim: fc.constantFrom(16, 8),
    slidingWindow: fc.constantFrom<Windows>(null, null, 4, 11, [4, null], [11, 11, null]),
    kind: fc.constantFrom<NetworkKind>("llama", "llama", "biased", "normed", "gemma"),
    seed: fc.integer({ min: 1, max: 2 }),
    prompt: fc.array(token, { minLength: least + 4, maxLength: least + 50 }),
    chunk: fc.constantFrom(5, 16, 512),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    next: fc.array(token, { minLength: 1, maxLength: 5 }),
  });

/** Calls `law` on random prompts; the error of a failure holds the seed and the smallest counterexample. */
export async function onNetworks(
  factory: MethodFactory,
  law: (trial: NetworkTrial) => Promise<void>,
  runs = 25,
): Promise<void> {
  const least = smallestBudget(factory);
  const property = fc.asyncProperty(arbitrary(least), async ({ heads, seed, prompt, chunk, share, next, ...rest }) => {
    const shape = { ...rest, queryHeads: heads[0], kvHeads: heads[1] };
    const model = await sharedModel(shape, seed);
    const budget = least + Math.floor(share * Math.max(0, prompt.length - least));
    using context = await prefill(model, Int32Array.from(prompt), { observe: [factory({ budget })], chunk });
    await law({ model, context, budget, next, chunk });
  });
  await fc.assert(property, { seed: SEED, numRuns: runsOf(runs) });
}

/** Logits after each of some tokens. */
async function decode(model: TinyModel, cache: KvCache, tokens: readonly number[]): Promise<Float32Array[]> {
  const logits: Float32Array[] = [];
  for (const next of tokens) {
    logits.push(await step(model, cache, next));
    assert.equal(cache.logits, logits.at(-1));
  }
  return logits;
}

const positionsOf = (cache: KvCache) =>
  cache.places.map((_, layer) => cache.lengths[layer]?.map((_, head) => [...cache.positions(layer, head)]));

const LAWS: Readonly<Record<string, (factory: MethodFactory, trial: NetworkTrial) => Promise<void>>> = {
  "a budget of the prompt's length or more is full attention": async (factory, { model, context, next }) => {
    using whole = context.cache.fork();
    const expected = await generate(model, whole, { maxNewTokens: 5 });
    const logits = await decode(model, whole, next);
    for (const budget of [context.length, context.length + 7]) {
      using cache = await compress(context, factory({ budget }));
      assert.deepEqual(await generate(model, cache, { maxNewTokens: 5 }), expected);
      for (const [i, ours] of (await decode(model, cache, next)).entries()) {
        assert.ok(maxDifference(ours, logits[i] ?? []) < TOLERANCE);
      }
    }
  },
  "eviction is masking": async (factory, { model, context, budget, next }) => {
    using cache = await compress(context, factory({ budget }));
    const n = context.length;
    const kept = context.entries.places.map((_, layer) =>
      Array.from({ length: model.config.kvHeads }, (_, head) => new Set(cache.positions(layer, head))),
    );
    const masked = referenceLogits(
      model.config,
      model.weights,
      [...context.tokens, ...next],
      (layer, head, query, key) => query < n || key >= n || (kept[layer]?.[head]?.has(key) ?? false),
    );
    for (const [i, logits] of (await decode(model, cache, next)).entries()) {
      assert.ok(maxDifference(logits, masked[n + i] ?? []) < TOLERANCE, `token ${i} after the prompt`);
    }
  },
  "memory is what is kept, to the byte, and per head": async (factory, { model, context, budget, next }) => {
    using cache = await compress(context, factory({ budget }));
    const kept = keptBytes(model, cache.lengths);
    assert.equal(cache.bytes, kept);
    using copy = await cache.inMemory();
    const allocated = copy.layers.flatMap(({ keys, values }) => [keys.buffer.byteLength, values.buffer.byteLength]);
    const total = allocated.reduce((sum, bytes) => sum + bytes, 0);
    assert.equal(
      total,
      cache.lengths.flat().reduce((sum, length) => sum + length, 0) * 2 * ELEMENT_BYTES * model.config.headDim,
    );
    await decode(model, cache, next);
    assert.equal(cache.bytes, kept + tailBytes(model));
  },
  "decoding appends every token at its true position": async (factory, { model, context, budget, next }) => {
    using cache = await compress(context, factory({ budget }));
    const before = cache.places.map((_, layer) =>
      Array.from({ length: model.config.kvHeads }, (_, h) => [...cache.positions(layer, h)]),
    );
    await decode(model, cache, next);
    assert.equal(cache.length, context.length + next.length);
    const added = next.map((_, i) => context.length + i);
    for (const [layer, heads] of before.entries()) {
      for (const [head, kept] of heads.entries())
        assert.deepEqual([...cache.positions(layer, head)], [...kept, ...added]);
    }
  },
  "layer by layer it keeps the same, or says why it cannot": async (factory, trial) => {
    const { model, context, budget, next, chunk } = trial;
    const method = factory({ budget });
    const run = await byLayer(model, method, context.tokens);
    if (typeof run === "string") {
      const fault = { code: "invalid_option", path: ["compressByLayer", "method"] };
      await assert.rejects(compressByLayer(model, context.tokens, method), fault);
      return;
    }
    using layered = await run({ chunk });
    using plain = await compress(context, method);
    assert.deepEqual(positionsOf(layered), positionsOf(plain));
    assert.deepEqual({ length: layered.length, bytes: layered.bytes }, { length: plain.length, bytes: plain.bytes });
    assert.ok(maxDifference(layered.logits, plain.logits) < TOLERANCE);
    const expected = await decode(model, plain, next);
    for (const [i, logits] of (await decode(model, layered, next)).entries())
      assert.ok(maxDifference(logits, expected[i] ?? []) < TOLERANCE);
  },
  "a fork never changes its original": async (factory, { model, context, budget, next }) => {
    using reference = await compress(context, factory({ budget }));
    using original = await compress(context, factory({ budget }));
    await decode(model, reference, next);
    await decode(model, original, next);
    const more = [11, ...next];
    const expected = await decode(model, reference, more);
    using fork = original.fork();
    // In turns, so that a fork that wrote into its original's memory would be read there.
    for (const [i, token] of more.entries()) {
      assert.deepEqual(await step(model, original, token), expected[i]);
      await step(model, fork, 63 - token);
    }
    assert.equal(original.length, reference.length);
  },
  "sequences in one batch decode as they do alone": async (factory, { model, context, budget, next }) => {
    using alone = await compress(context, factory({ budget }));
    using together = alone.fork();
    using whole = await compress(context, full());
    using wholeAlone = whole.fork();
    for (const next_ of next) {
      const batch = await model.engine.step([
        { token: next_, cache: whole },
        { token: 9, cache: together },
      ]);
      assert.ok(maxDifference(batch[0] ?? [], await step(model, wholeAlone, next_)) < TOLERANCE);
      assert.ok(maxDifference(batch[1] ?? [], await step(model, alone, 9)) < TOLERANCE);
    }
  },
  "a prompt's context gives the same however often it is compressed": async (
    factory,
    { model, context, budget, next },
  ) => {
    using first = await compress(context, factory({ budget }));
    const logits = await decode(model, first, next);
    await step(model, context.cache, 1);
    using again = await compress(context, factory({ budget }));
    assert.deepEqual(await decode(model, again, next), logits);
  },
};

/** The sentences that every method must make true. */
export const networkLaws: readonly string[] = Object.keys(LAWS);

/** Checks one law. @throws with the smallest counterexample */
export function assertNetworkLaw(law: string, factory: MethodFactory, runs?: number): Promise<void> {
  const check = LAWS[law] ?? assert.fail(`no such law: ${law}`);
  return onNetworks(factory, (trial) => check(factory, trial), runs);
}

/** Checks them all on one method. @throws at the first that fails, with the smallest counterexample */
export async function assertNetworkLaws(factory: MethodFactory, runs?: number): Promise<void> {
  for (const law of networkLaws) await assertNetworkLaw(law, factory, runs);
}
