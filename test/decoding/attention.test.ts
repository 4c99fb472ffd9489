/** H2O and TOVA, token by token, beside plain restatements of their papers' algorithms on the plain decoder. */
import { expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compress,
  type DecodingPolicy,
  full,
  heavyHitters,
  type KvCache,
  type Method,
  prefill,
  registry,
  step,
  tokenOmission,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { holds } from "../support/seed.ts";
import { type Held, heldBy } from "../support/streams.ts";
import { sharedModel, type TinyModel, tinyModel } from "../support/tiny-model.ts";

/** [layer][query head]: what the last token, and each before it, gave to each position. */
type Attention = Map<number, number>[][][];

/** Two that differ by less are a tie that rounding decides. */
const TIE = 1e-5;

/** The attention of the plain decoder to what was held when each token ran. */
function attentionOf({ config, weights }: TinyModel, tokens: readonly number[], before: Map<number, Held>): Attention {
  const sets = new Map([...before].map(([i, held]) => [i, held.map((heads) => heads.map((kept) => new Set(kept)))]));
  const seen: Attention = Array.from({ length: config.layers }, () =>
    Array.from({ length: config.queryHeads }, () => tokens.map(() => new Map<number, number>())),
  );
  referenceLogits(
    config,
    weights,
    tokens,
    (layer, head, query, key) => key === query || (sets.get(query)?.[layer]?.[head]?.has(key) ?? true),
    {
      watch: (layer, head, query, keys, weight) => {
        keys.forEach((key, i) => {
          seen[layer]?.[head]?.[query]?.set(key, weight[i] ?? 0);
        });
      },
    },
  );
  return seen;
}

/** Lowest first; the law cannot say which of two that are as good as equal goes. */
function lowestOf(candidates: readonly number[], score: (position: number) => number, count: number): number[] {
  const ranked = [...candidates].sort((a, b) => score(a) - score(b) || b - a);
  fc.pre(count === 0 || count === ranked.length || score(ranked[count] ?? 0) - score(ranked[count - 1] ?? 0) > TIE);
  return ranked.slice(0, count);
}

type Restated = (
  attention: Attention,
  group: number,
  held: readonly number[],
  layer: number,
  head: number,
  /** Whether all heads of the layer hold the same tokens. */
  same: boolean,
) => readonly number[];

/** H2O: attention summed over all queries so far; the recent half stays, of the others those with the highest sums. */
const restatedH2O =
  (budget: number): Restated =>
  (attention, group, held, layer, head) => {
    const excess = held.length - budget;
    if (excess <= 0) return held;
    const recent = Math.floor(budget / 2);
    const sum = (position: number) =>
      Array.from({ length: group }, (_, g) => attention[layer]?.[head * group + g] ?? [])
        .flat()
        .reduce((total, row) => total + (row.get(position) ?? 0), 0);
    const gone = new Set(lowestOf(held.slice(0, held.length - recent), sum, excess));
    return held.filter((position) => !gone.has(position));
  };

/** TOVA: the last query's attention, averaged over all heads of the layer, or its own where heads hold different tokens; the lowest go. */
const restatedTova =
  (budget: number): Restated =>
  (attention, group, held, layer, head, same) => {
    const excess = held.length - budget;
    if (excess <= 0) return held;
    const all = attention[layer] ?? [];
    const heads = same ? all : all.slice(head * group, (head + 1) * group);
    const mean = (position: number) =>
      heads.reduce((sum, rows) => sum + (rows.at(-1)?.get(position) ?? 0), 0) / heads.length;
    const gone = new Set(lowestOf(held, mean, excess));
    return held.filter((position) => !gone.has(position));
  };

const trials = fc.record({
  layers: fc.integer({ min: 1, max: 2 }),
  heads: fc.constantFrom([4, 2] as const, [2, 2] as const, [3, 1] as const),
  slidingWindow: fc.constantFrom(null, null, 7),
  prompt: fc.array(fc.integer({ min: 0, max: 63 }), { minLength: 2, maxLength: 24 }),
  budget: fc.integer({ min: 2, max: 16 }),
  start: fc.constantFrom("full", "own", "ragged"),
  next: fc.array(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 10 }),
});

/** Every token's eviction is the restatement's, of what was really held. */
const equals = (
  policyOf: (budget: number) => DecodingPolicy,
  methodOf: (budget: number) => Method,
  restated: (budget: number) => Restated,
) =>
  holds(
    trials,
    async ({ layers, heads: [queryHeads, kvHeads], slidingWindow, prompt, budget, start, next }) => {
      const model = await sharedModel({ layers, queryHeads, kvHeads, slidingWindow }, 3);
      const policy = policyOf(budget);
      const ragged = registry.adakv({ budget: 10, window: 2 });
      const method = start === "full" ? full() : start === "own" ? methodOf(budget) : ragged;
      using context = await prefill(model, Int32Array.from(prompt), { observe: [method, policy] });
      using cache = await compress(context, method);
      const tokens = [...prompt];
      const before = new Map<number, Held>();
      for (const token of next) {
        before.set(tokens.length, heldBy(cache));
        tokens.push(token);
        const possible = heldBy(cache).map((heads) => heads.map((kept) => [...kept, tokens.length - 1]));
        await step(model, cache, token, { evict: policy });
        const attention = attentionOf(model, tokens, before);
        const expected = possible.map((heads, layer) =>
          heads.map((kept, head) =>
            restated(budget)(
              attention,
              queryHeads / kvHeads,
              kept,
              layer,
              head,
              heads.every((other) => Bun.deepEquals(other, kept)),
            ),
          ),
        );
        assert.deepEqual(heldBy(cache), expected);
      }
    },
    30,
  );

test("heavyHitters is H2O's algorithm, after its own prefill, a full cache, or heads of unequal lengths", () =>
  equals(
    (budget) => heavyHitters({ budget }),
    (budget) => registry.h2o({ budget, window: Math.max(1, Math.floor(budget / 2)) }),
    restatedH2O,
  ));

test("tokenOmission is TOVA's algorithm, after its own prefill, a full cache, or heads of unequal lengths", () =>
  equals(
    (budget) => tokenOmission({ budget }),
    (budget) => registry.tova({ budget }),
    restatedTova,
  ));

test("TOVA's heads hold the same tokens, H2O's need not", async () => {
  const model = await sharedModel({ layers: 2, queryHeads: 4, kvHeads: 2 }, 3);
  const held = async (policy: DecodingPolicy) => {
    using context = await prefill(
      model,
      Int32Array.from({ length: 20 }, (_, i) => (i * 29) % 64),
      { observe: [policy] },
    );
    for (let i = 0; i < 20; i++) await step(model, context.cache, (i * 17) % 64, { evict: policy });
    return heldBy(context.cache);
  };
  for (const [first, second] of await held(tokenOmission({ budget: 8 }))) expect(first).toEqual(second);
  expect((await held(heavyHitters({ budget: 8 }))).some(([first, second]) => !Bun.deepEquals(first, second))).toBe(
    true,
  );
});

test("a share of the tokens seen grows with them, and is exact after every token", async () => {
  const model = await sharedModel({ layers: 1, queryHeads: 4, kvHeads: 2 }, 3);
  for (const policy of [heavyHitters({ budget: "50%" }), tokenOmission({ budget: "12.5%" })]) {
    using context = await prefill(
      model,
      Int32Array.from({ length: 30 }, (_, i) => i),
      { observe: [policy] },
    );
    for (let seen = 31; seen < 60; seen++) {
      await step(model, context.cache, seen % 64, { evict: policy });
      const share = policy.budget === "50%" ? 0.5 : 0.125;
      expect(context.cache.lengths.flat()).toEqual([0, 1].map(() => Math.round(share * seen)));
    }
  }
});

test("sums that prefill did not add up, and a token that was not watched, are clear errors that change nothing", async () => {
  using model = await tinyModel({ layers: 1 });
  using context = await prefill(
    model,
    Int32Array.from({ length: 20 }, (_, i) => i),
  );
  const fault = async (cache: KvCache, work: () => Promise<unknown>) => {
    const before = heldBy(cache);
    const { code, path } = await faultOf(work);
    expect(heldBy(cache)).toEqual(before);
    return { code, path };
  };
  const { cache } = context;
  const missing = (part: string) => ({ code: "observation_missing", path: ["cache", part] }) as const;
  await step(model, cache, 1);
  for (const policy of [heavyHitters({ budget: 8 }), tokenOmission({ budget: 8 })])
    expect(await fault(cache, () => cache.evict(policy, model.engine))).toEqual(
      missing(policy.name === "heavyhitters" ? "received" : "attention"),
    );
  for (const policy of [heavyHitters({ budget: 8 })])
    expect(await fault(cache, () => step(model, cache, 2, { evict: policy }))).toEqual(missing("received"));
  // Another policy's evictions leave no sums of what is left.
  using watched = await prefill(model, context.tokens, { observe: [heavyHitters({ budget: 8 })] });
  await step(model, watched.cache, 1, { evict: heavyHitters({ budget: 8 }) });
  using fork = watched.cache.fork();
  expect((await faultOf(() => step(model, fork, 2, { evict: heavyHitters({ budget: 8 }) }))).path).toEqual([
    "cache",
    "received",
  ]);
});

test.each([
  [{ budget: 0 }, "budget_too_small", "budget"],
  [{ budget: "0%" }, "invalid_option", "budget"],
  [{ budget: "101%" }, "invalid_option", "budget"],
  [{ budget: "half" }, "invalid_option", "budget"],
  [{ budget: 8, recent: 1.5 }, "invalid_option", "recent"],
  [{ budget: 8, window: 2 }, "invalid_option", "window"],
])("heavyHitters refuses %p by name", async (options, code, option) => {
  const untyped: (options: never) => unknown = heavyHitters;
  const fault = await faultOf(() => untyped(options as never));
  expect({ code: fault.code, path: fault.path }).toMatchObject({ code, path: ["heavyhitters", option] });
});

test("they record their options, defaults filled in", () => {
  expect(heavyHitters({ budget: 16 }).options).toEqual({ budget: 16, recent: 0.5 });
  expect(tokenOmission({ budget: "25%" }).options).toEqual({ budget: "25%" });
});
