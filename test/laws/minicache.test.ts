/** MiniCache under whole networks, against attention over what the paper's formula restores, and against the bytes of its storage. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  adaKV,
  compress,
  compressInBlocks,
  full,
  type KvCache,
  type Method,
  type MiniCacheOptions,
  miniCache,
  packed,
  prefill,
  pyramidKV,
  quantised,
  snapKV,
  step,
  thinK,
  window,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { maxDifference } from "../support/golden.ts";
import { TOLERANCE } from "../support/network-laws.ts";
import { type Restated, restated } from "../support/plain-minicache.ts";
import type { NetworkKind, Windows } from "../support/random-model.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

const token = fc.integer({ min: 0, max: 63 });
const selections = { full, window, snapKV, adaKV, pyramidKV };
const FLOAT = 4;

const trials = fc.record({
  layers: fc.integer({ min: 2, max: 4 }),
  heads: fc.constantFrom([4, 2] as const, [3, 1] as const),
  slidingWindow: fc.constantFrom<Windows>(null, null, 20, [20, null]),
  kind: fc.constantFrom<NetworkKind>("llama", "gemma"),
  prompt: fc.array(token, { minLength: 12, maxLength: 90, size: "max" }),
  selection: fc.constantFrom("full", "window", "snapKV", "adaKV", "adaKV", "pyramidKV"),
  share: fc.constantFrom(0, 0.3, 0.6, 0.9),
  isPacked: fc.boolean(),
  options: fc.record({
    from: fc.constantFrom(0, null),
    interpolation: fc.constantFrom(0, 0.3, 0.6, 1),
    retention: fc.constantFrom(0, 0.05, 0.4, 1),
    recent: fc.constantFrom(1, 5, 32),
  }),
  next: fc.array(token, { minLength: 1, maxLength: 6 }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

interface Caches extends Restated {
  readonly plain: KvCache;
  /** A copy of it, in memory. */
  readonly inFull: KvCache;
  /** In memory until its first step. */
  readonly mini: KvCache;
}

const modelOf = ({ layers, heads, slidingWindow, kind }: Trial) =>
  sharedModel({ layers, slidingWindow, kind, queryHeads: heads[0], kvHeads: heads[1] }, 1);

const optionsOf = ({ options: { from, ...rest } }: Trial): MiniCacheOptions =>
  from === null ? rest : { from, ...rest };

/** Two layers after two; those of one pair are both full or both sliding. */
function pairsOf({ layers, slidingWindow, options }: Trial): number[] {
  const first = options.from ?? Math.floor(layers / 2);
  const all = Array.from({ length: layers }, (_, layer) => layer);
  return Array.isArray(slidingWindow) ? [] : all.filter((l) => l >= first && (l - first) % 2 === 0 && l + 1 < layers);
}

const onMiniCache = (law: (caches: Caches, trial: Trial) => Promise<void>, runs = 60) =>
  holds(
    trials,
    async (trial) => {
      const model = await modelOf(trial);
      const chosen = selections[trial.selection]({ budget: 9 + Math.floor(trial.share * trial.prompt.length) });
      const inner: Method = trial.isPacked ? packed(chosen) : chosen;
      const method = miniCache(inner, optionsOf(trial));
      using context = await prefill(model, Int32Array.from(trial.prompt), { observe: [method] });
      using plain = await compress(context, inner);
      using mini = await compress(context, method);
      using inFull = await plain.inMemory();
      await law({ plain, inFull, mini, ...restated(inFull, pairsOf(trial), optionsOf(trial)) }, trial);
    },
    runs,
  );

describe("miniCache", () => {
  test("decodes as attention over the entries that shared directions and own norms restore", () =>
    onMiniCache(async ({ mini, cache }, trial) => {
      const model = await modelOf(trial);
      for (const next of trial.next) {
        const expected = await step(model, cache, next);
        assert.ok(maxDifference(await step(model, mini, next), expected) < TOLERANCE);
      }
    }, 100));

  test("shares just what the definition merges, and holds the positions that the method keeps", () =>
    onMiniCache(async ({ plain, mini, merged }, trial) => {
      const model = await modelOf(trial);
      for (const next of [null, ...trial.next]) {
        if (next !== null) for (const cache of [plain, mini]) await step(model, cache, next);
        assert.deepEqual(mini.lengths, plain.lengths);
        assert.equal(mini.length, plain.length);
      }
      for (const [layer, heads] of plain.lengths.entries()) {
        const older = mini.compact?.layers[layer];
        const expected = merged.get(layer) ?? merged.get(layer - 1) ?? heads.map(() => []);
        for (const head of heads.keys()) {
          assert.deepEqual(mini.positions(layer, head), plain.positions(layer, head));
          assert.deepEqual(mini.origins(layer, head), plain.origins(layer, head));
          const [from, to] = older?.offsets.subarray(head, head + 2) ?? [];
          assert.deepEqual([...(older?.positions.subarray(from, to) ?? [])], expected[head]);
        }
      }
    }));

  test("takes a token's two directions and four norms for a merged pair of entries, and what it took for the others", () =>
    onMiniCache(async ({ inFull, mini, merged }) => {
      const { headDim } = mini.geometry;
      const tokens = [...merged.values()].flat(2).length;
      assert.equal(mini.bytes, inFull.bytes - tokens * (2 * headDim * 2 * FLOAT) + tokens * (headDim * 2 + 4) * FLOAT);
      const allocated = new Set(
        [
          ...mini.layers,
          ...(mini.compact === null ? [] : [{ keys: mini.compact.keys.floats, values: mini.compact.values.floats }]),
        ].flatMap(({ keys, values }) => [keys.buffer, values.buffer]),
      );
      const { keys, values } = mini.compact?.norms ?? assert.fail("no norms");
      for (const { buffer } of [keys, values]) allocated.add(buffer);
      assert.equal(
        mini.bytes,
        [...allocated].reduce((sum, { byteLength }) => sum + byteLength, 0),
      );
    }));

  test("is the method itself where everything is retained", () =>
    onMiniCache(async ({ plain, inFull, mini }, trial) => {
      if (trial.options.retention !== 1) return;
      const model = await modelOf(trial);
      assert.equal(mini.bytes, inFull.bytes);
      for (const next of trial.next)
        assert.ok(maxDifference(await step(model, mini, next), await step(model, plain, next)) < TOLERANCE);
    }));

  test("changes neither layers below the first pair nor the original", () =>
    onMiniCache(async ({ inFull, mini, merged }, trial) => {
      const first = Math.min(...merged.keys());
      for (const [layer, entries] of mini.layers.slice(0, first).entries()) {
        const { keys, values, positions } = inFull.layers[layer] ?? assert.fail("no layer");
        assert.deepEqual([entries.keys, entries.values, entries.positions], [keys, values, positions]);
      }
      const model = await modelOf(trial);
      using fork = mini.fork();
      using reference = mini.fork();
      for (const next of trial.next) {
        await step(model, fork, 63 - next);
        assert.deepEqual(await step(model, mini, next), await step(model, reference, next));
      }
    }, 30));

  test("takes half the memory of two layers, but for norms and the newest tokens", async () => {
    const model = await sharedModel({ layers: 2, headDim: 64 }, 1);
    using context = await prefill(
      model,
      Int32Array.from({ length: 90 }, (_, i) => (7 * i) % 64),
    );
    using mini = await compress(context, miniCache(full(), { retention: 0, recent: 1, from: 0 }));
    const each = 2 * 89 * (2 * 64 + 4) * FLOAT;
    expect(mini.bytes).toBe(each + 2 * 2 * (2 * 64) * FLOAT);
    expect(mini.bytes / context.cache.bytes).toBeLessThan(0.54);
  });
});

describe("a method wrapped by miniCache", () => {
  const prompt = Int32Array.from({ length: 80 }, (_, i) => (i * 29 + 5) % 64);

  test("is named and recorded with its options, and factories stay factories", () => {
    const inner = snapKV({ budget: 64 });
    const options = { from: 3, interpolation: 0.5, retention: 0.1, recent: 8 };
    const one = miniCache(inner, options);
    expect(one).toMatchObject({ name: "snapkv-minicache", options: { ...inner.options, minicache: options } });
    expect(one.allocate).toBe(inner.allocate);
    expect(miniCache(pyramidKV)({ budget: 64 }).options.minicache).toEqual({
      from: null,
      interpolation: 0.6,
      retention: 0.05,
      recent: 32,
    });
  });

  for (const options of [
    { from: -1 },
    { from: 1.5 },
    { interpolation: 1.1 },
    { interpolation: Number.NaN },
    { retention: -0.1 },
    { retention: "1" },
    { recent: 0 },
    { gamma: 0.05 },
  ]) {
    test(`refuses ${JSON.stringify(options)} by name`, async () => {
      const [name = ""] = Object.keys(options);
      // @ts-expect-error: what a caller without types may write
      const fault = await faultOf(() => miniCache(full(), options));
      expect(fault).toMatchObject({ code: "invalid_option", path: ["minicache", name] });
    });
  }

  test("refuses a first layer that the model does not have", async () => {
    const model = await sharedModel({ layers: 2 }, 1);
    using context = await prefill(model, prompt);
    for (const from of [2, 9]) {
      const fault = await faultOf(() => compress(context, miniCache(full(), { from })));
      expect(fault).toMatchObject({ code: "invalid_option", path: ["minicache", "from"], found: from });
    }
    using last = await compress(context, miniCache(full(), { from: 1 }));
    using whole = await context.cache.inMemory();
    expect(last.bytes).toBe(whole.bytes);
  });

  test("goes with no other form, whichever is outside", async () => {
    const inner = snapKV({ budget: 64 });
    const pairs = {
      quantised: [() => quantised(miniCache(inner), { bits: 4 }), "quantised"],
      "miniCache of quantised": [() => miniCache(quantised(inner, { bits: 4 })), "minicache"],
      thinK: [() => thinK(miniCache(inner)), "think"],
      "miniCache of thinK": [() => miniCache(thinK(inner)), "minicache"],
      "miniCache twice": [() => miniCache(miniCache(inner)), "minicache"],
      factories: [() => miniCache(thinK(snapKV))({ budget: 64 }), "minicache"],
    } as const;
    for (const [make, owner] of Object.values(pairs))
      expect(await faultOf(async () => make())).toMatchObject({ code: "invalid_option", path: [owner, "method"] });
  });

  test("is compressed in blocks as in one go", async () => {
    const model = await sharedModel({ layers: 4 }, 1);
    const method = miniCache(snapKV({ budget: 50 }), { recent: 3 });
    using context = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(context, method);
    using inBlocks = await compressInBlocks(model, prompt, method, { block: 30, working: 80 });
    expect(inBlocks.bytes).toBe(cache.bytes);
    expect(maxDifference(await step(model, inBlocks, 5), await step(model, cache, 5))).toBeLessThan(TOLERANCE);
  });
});
