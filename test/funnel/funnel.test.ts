import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { PromptCache } from "../../src/cache/prompt.ts";
import { type Context, contextOf } from "../../src/context.ts";
import { type Funnel, funnel } from "../../src/funnel/index.ts";
import { prefill } from "../../src/index.ts";
import { maxDifference } from "../support/golden.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

interface Trial {
  readonly tokens: readonly number[];
  readonly window: number;
  readonly bins: number | undefined;
  readonly heads: readonly [number, number];
  readonly slidingWindow: number | null;
}

const token = fc.integer({ min: 0, max: 63 });
const trials: fc.Arbitrary<Trial> = fc
  .record({
    tokens: fc.array(token, { minLength: 1, maxLength: 90 }),
    share: fc.integer({ min: 1, max: 64 }),
    bins: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
    heads: fc.constantFrom([4, 2] as const, [3, 1] as const, [2, 2] as const),
    slidingWindow: fc.constantFrom(null, 1, 7, 40),
  })
  .map(({ share, ...trial }) => ({ ...trial, window: Math.min(share, trial.tokens.length) }));

const slice = (values: readonly number[], from: number, to: number) => sum(values.slice(Math.max(0, from), to));
const nats = (values: readonly number[]) => -sum(values.filter((p) => p > 0).map((p) => p * Math.log(p)));

async function onPrompts(law: (context: Context, trial: Trial) => Promise<void>, runs = 60) {
  await holds(
    trials,
    async (trial) => {
      const { heads, slidingWindow, tokens } = trial;
      const model = await sharedModel({ layers: 2, queryHeads: heads[0], kvHeads: heads[1], slidingWindow }, 3);
      using context = await prefill(model, Int32Array.from(tokens));
      await law(context, trial);
    },
    runs,
  );
}

/** Attention of the last w queries, mean over them and over heads, from the definition: [n] per layer. */
function restated({ model, layers, observation, length }: Context, w: number): readonly (readonly number[])[] {
  const { queryHeads, kvHeads, headDim: d, slidingWindow } = model.config;
  return layers.map(({ keys }, layer) => {
    const queries = observation.queries[layer] ?? assert.fail();
    const observed = queries.dims[1] ?? 0;
    const mass = new Array<number>(length).fill(0);
    for (let h = 0; h < queryHeads; h++) {
      for (let i = length - w; i < length; i++) {
        const row = (h * observed + observed - length + i) * d;
        const logits = mass.map((_, j) => {
          if (j > i || j <= i - (slidingWindow[layer] ?? Number.POSITIVE_INFINITY)) return Number.NEGATIVE_INFINITY;
          const key = (Math.floor((h * kvHeads) / queryHeads) * length + j) * d;
          let product = 0;
          for (let c = 0; c < d; c++) product += (queries.data[row + c] ?? 0) * (keys[key + c] ?? 0);
          return product / Math.sqrt(d);
        });
        const top = Math.max(...logits);
        const total = sum(logits.map((x) => Math.exp(x - top)));
        logits.forEach((x, j) => {
          mass[j] = (mass[j] ?? 0) + Math.exp(x - top) / total / (queryHeads * w);
        });
      }
    }
    return mass;
  });
}

describe("a funnel", () => {
  test("is the mean attention of the last queries, by its definition, sliding windows included", () =>
    onPrompts(async (context, { window }) => {
      const { layers } = await funnel(context, { window, bins: context.length });
      const expected = restated(context, window);
      assert.equal(layers.length, expected.length);
      layers.forEach(({ mass, entropy, effectiveTokens, ...shares }, layer) => {
        const definition = expected[layer] ?? [];
        assert.ok(maxDifference(mass, definition) < 1e-5);
        assert.ok(Math.abs(entropy - nats(definition)) < 1e-4);
        assert.ok(Math.abs(effectiveTokens / Math.exp(nats(definition)) - 1) < 1e-3);
        assert.ok(Math.abs(shares.sinks - slice(definition, 0, 4)) < 1e-5);
        assert.ok(Math.abs(shares.window - slice(definition, context.length - window, context.length)) < 1e-5);
      });
    }));

  test("shares out all of the attention, none of it negative, over at most all tokens", () =>
    onPrompts(async (context, { window, bins }) => {
      const { layers, edges } = await funnel(context, { window, bins });
      for (const { mass, entropy, effectiveTokens } of layers) {
        assert.equal(mass.length, edges.length - 1);
        assert.ok(mass.every((share) => share >= 0));
        assert.ok(Math.abs(sum(mass) - 1) < 1e-5);
        assert.ok(entropy >= 0 && entropy <= Math.log(context.length) + 1e-6);
        assert.ok(effectiveTokens >= 1 && effectiveTokens <= context.length * (1 + 1e-6));
      }
    }));

  test("loses nothing in bins, whose sizes differ by one at most", () =>
    onPrompts(async (context, { window, bins = 5 }) => {
      const whole = await funnel(context, { window, bins: context.length });
      const coarse = await funnel(context, { window, bins });
      const { edges } = coarse;
      const sizes = edges.slice(1).map((edge, b) => edge - (edges[b] ?? 0));
      assert.deepEqual([edges[0], edges.at(-1), sizes.length], [0, context.length, Math.min(bins, context.length)]);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1 && Math.min(...sizes) >= 1);
      coarse.layers.forEach(({ mass, ...others }, layer) => {
        const { mass: fine, ...same } = whole.layers[layer] ?? assert.fail();
        const summed = edges.slice(1).map((edge, b) => slice(fine, edges[b] ?? 0, edge));
        assert.ok(maxDifference(mass, summed) < 1e-12);
        assert.deepEqual(others, same);
      });
    }));

  test("of even attention is as wide as the prompt; of attention to one token, one token wide", () =>
    holds(fc.record({ length: fc.integer({ min: 2, max: 200 }), seed: token }), async ({ length, seed }) => {
      const target = seed % length;
      const [even] = (await funnelOf(length, () => 0)).layers;
      const [sharp] = (await funnelOf(length, (position) => (position === target ? 1e4 : 0))).layers;
      assert.ok(Math.abs((even?.effectiveTokens ?? 0) / length - 1) < 1e-4);
      assert.ok(Math.abs((sharp?.effectiveTokens ?? 0) - 1) < 1e-4);
      assert.ok((sharp?.mass[target] ?? 0) > 1 - 1e-5);
      assert.ok(Math.abs((sharp?.sinks ?? -1) - (target < 4 ? 1 : 0)) < 1e-5);
      assert.ok(Math.abs((sharp?.window ?? -1) - (target === length - 1 ? 1 : 0)) < 1e-5);
    }));

  test("has a bin per token up to 256, and boundaries in order", async () => {
    const { edges, boundaries } = await funnelOf(1000, () => 0, [
      { position: 500, label: "second" },
      { position: 0, label: "first" },
    ]);
    assert.equal(edges.length, 257);
    assert.deepEqual(
      boundaries.map(({ label }) => label),
      ["first", "second"],
    );
    assert.equal((await funnelOf(256, () => 0)).edges.length, 257);
  });
});

/** The funnel of one query, all ones, over keys that are the same number in all places. */
async function funnelOf(length: number, key: (position: number) => number, boundaries: Funnel["boundaries"] = []) {
  const model = await sharedModel({ layers: 1, queryHeads: 2, kvHeads: 1, headDim: 8, contextLength: 2048 }, 1);
  const positions = Int32Array.from({ length }, (_, j) => j);
  const keys = Float32Array.from({ length: length * 8 }, (_, i) => key(Math.floor(i / 8)));
  const entries = model.engine.prompt(length);
  assert.ok(entries instanceof PromptCache);
  entries.append(Float32Array.of(...keys, ...keys), length);
  const queries = [{ data: new Float32Array(16).fill(1), dims: [2, 1, 8] }];
  using context = contextOf(model, positions, entries, new Float32Array(64), {
    queries,
    columnSums: null,
    moments: null,
    probes: new Map(),
  });
  return await funnel(context, { window: 1, boundaries });
}

describe("a funnel refuses", () => {
  const refused: readonly [string, object, object][] = [
    ["no window", { window: 0 }, { code: "invalid_option", path: ["funnel", "window"] }],
    ["half a token", { window: 1.5 }, { code: "invalid_option", path: ["funnel", "window"] }],
    ["more than was observed", { window: 65 }, { code: "observation_missing" }],
    ["more than the prompt", { window: 81 }, { code: "window_too_long" }],
    ["no bins", { bins: 0 }, { code: "invalid_option", path: ["funnel", "bins"] }],
    ["an option it has not", { windows: 8 }, { code: "invalid_option", path: ["funnel", "windows"] }],
    [
      "a boundary beyond the prompt",
      { boundaries: [{ position: 80, label: "end" }] },
      { code: "invalid_option", path: ["funnel", "boundaries", 0, "position"], message: /80, but must be below 80/ },
    ],
    [
      "a boundary without a name",
      { boundaries: [{ position: 8 }] },
      { code: "invalid_option", path: ["funnel", "boundaries", 0, "label"] },
    ],
  ];
  for (const [what, options, fault] of refused) {
    test(what, async () => {
      using context = await prefill(
        await sharedModel({}, 1),
        Int32Array.from({ length: 80 }, (_, i) => i % 64),
      );
      await assert.rejects(funnel(context, options), { name: "KvError", ...fault });
    });
  }

  test("attention that is NaN", async () => {
    const fault = { name: "KvError", code: "engine_failed", path: ["funnel", "layers", 0] };
    await assert.rejects(
      funnelOf(9, () => Number.NaN),
      fault,
    );
  });

  test("a context that was disposed", async () => {
    const context = await prefill(await sharedModel({}, 1), Int32Array.of(1, 2));
    context[Symbol.dispose]();
    await assert.rejects(funnel(context, { window: 1 }), { code: "disposed" });
  });
});
