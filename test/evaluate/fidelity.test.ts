/** Attention recall and output error, against what their definitions say in plain loops. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { attentionRow } from "../../kernels/attention-row.ts";
import { type Fidelity, fidelities } from "../../src/evaluate/fidelity.ts";
import {
  adaKV,
  type Context,
  compress,
  d2oMerge,
  full,
  type KvCache,
  type Method,
  merged,
  miniCache,
  packed,
  prefill,
  quantised,
  registry,
  retain,
  snapKV,
  thinK,
} from "../../src/index.ts";
import { inverseFrequencies, rotate } from "../../src/model/rope.ts";
import { promptOf } from "../generate/helpers.ts";
import { inFp32 } from "../support/compact.ts";
import { faultOf } from "../support/fault.ts";
import type { TinyShape } from "../support/random-model.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

const shapes: readonly TinyShape[] = [
  { layers: 2, queryHeads: 4, kvHeads: 2, headDim: 16 },
  { layers: 2, queryHeads: 3, kvHeads: 1, headDim: 16, slidingWindow: 12 },
  { layers: 2, queryHeads: 4, kvHeads: 2, headDim: 16, slidingWindow: [12, null], kind: "gemma" },
];

/** Methods that leave entries other than they were: elsewhere, merged, pruned, quantised, several at once. */
const changing: readonly ((method: Method) => Method)[] = [
  (method) => method,
  packed,
  (method) => merged(method, d2oMerge()),
  (method) => quantised(method, { bits: 4, recent: 2 }),
  (method) => thinK(method, { keep: 0.5, window: 4 }),
  (method) => miniCache(method, { from: 0, retention: 0.3, recent: 3 }),
  (method) => quantised(thinK(packed(merged(method, d2oMerge())), { window: 4 }), { bits: 8, recent: 3 }),
];

/**
 * As their definitions say: recall by full attention's rows; the output from the cache's own entries, whose keys are turned back by as
 * many positions as the cache lacks, among those that each query sees.
 */
function stated({ model, layers, observation, length }: Context, cache: KvCache, window: number): Fidelity {
  const { queryHeads, kvHeads, headDim, slidingWindow } = model.config;
  const fp32 = inFp32(cache);
  const shift = length - cache.length;
  const rowOf = (data: Float32Array, j: number) => data.slice(j * headDim, (j + 1) * headDim);
  const measured = layers.map((entries, layer) => {
    let [recall, error] = [0, 0];
    const [held, queries] = [fp32.layers[layer], observation.queries[layer]];
    const sliding = slidingWindow[layer] ?? Number.POSITIVE_INFINITY;
    for (let head = 0; head < queryHeads; head++) {
      const kvHead = Math.floor(head / (queryHeads / kvHeads));
      const places = [...cache.origins(layer, kvHead)];
      const from = held?.offsets[kvHead] ?? 0;
      const all = Array.from({ length }, (_, j) => kvHead * length + j);
      const keys = Float32Array.from(all.flatMap((j) => [...rowOf(entries.keys, j)]));
      const count = queries?.dims[1] ?? 0;
      for (let i = 0; i < window; i++) {
        const query = rowOf(queries?.data ?? new Float32Array(), head * count + count - window + i);
        const at = length - window + i;
        const row = attentionRow(query, keys, at, { slidingWindow: slidingWindow[layer] ?? null });
        const seen = places.flatMap((place, k) => {
          const position = (held?.positions[from + k] ?? 0) + shift;
          if (place > at || at - position >= sliding) return [];
          const key = rowOf(held?.keys ?? keys, from + k);
          rotate(key, inverseFrequencies(model.config, layer), shift);
          const score = key.reduce((sum, x, c) => sum + x * (query[c] ?? 0), 0) / Math.sqrt(headDim);
          return [{ weight: Math.exp(score), value: rowOf(held?.values ?? keys, from + k) }];
        });
        const total = seen.reduce((sum, { weight }) => sum + weight, 0);
        const part = Array.from({ length: headDim }, (_, c) =>
          seen.reduce((sum, { weight, value }) => sum + (weight / total) * (value[c] ?? 0), 0),
        );
        const whole = Array.from({ length: headDim }, (_, c) =>
          row.reduce((sum, weight, j) => sum + weight * (rowOf(entries.values, all[j] ?? 0)[c] ?? 0), 0),
        );
        recall += places.reduce((sum, place) => sum + (row[place] ?? 0), 0);
        error += Math.hypot(...whole.map((value, c) => value - (part[c] ?? 0))) / Math.hypot(...whole);
      }
    }
    return { recall: recall / (queryHeads * window), error: error / (queryHeads * window) };
  });
  return { recall: measured.map(({ recall }) => recall), outputError: measured.map(({ error }) => error) };
}

const near = (found: readonly number[], expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
};

describe("attention recall and output error", () => {
  test("are what their definitions say, of any kept positions, with a sliding window too", () =>
    holds(
      fc.record({
        shape: fc.constantFrom(...shapes),
        length: fc.integer({ min: 1, max: 30 }),
        keep: fc.double({ min: 0, max: 1, noNaN: true }),
        seed: fc.integer({ min: 0, max: 1000 }),
      }),
      async ({ shape, length, keep, seed }) => {
        const model = await sharedModel(shape, 1);
        using context = await prefill(model, promptOf(length, seed));
        const some = (l: number, h: number) =>
          Int32Array.from(
            Array.from({ length }, (_, j) => j).filter((j) => ((seed + 7 * j + 13 * l + h) % 17) / 17 < keep),
          );
        using cache = await retain(
          context,
          context.layers.map((_, l) => Array.from({ length: model.config.kvHeads }, (_, h) => some(l, h))),
        );
        const window = Math.min(4, length);
        const [found] = await fidelities(context, [cache], { window });
        const expected = stated(context, cache, window);
        near(found?.recall ?? [], expected.recall);
        near(found?.outputError ?? [], expected.outputError);
      },
      40,
    ));

  test("are those of the entries as decoding reads them, whatever a method made of them", () =>
    holds(
      fc.record({
        shape: fc.constantFrom(...shapes),
        change: fc.constantFrom(...changing),
        inner: fc.constantFrom(snapKV, adaKV, full),
        length: fc.integer({ min: 20, max: 90 }),
        budget: fc.integer({ min: 9, max: 80 }),
        seed: fc.integer({ min: 0, max: 1000 }),
      }),
      async ({ shape, change, inner, length, budget, seed }) => {
        const model = await sharedModel(shape, 1);
        const method = change(inner({ budget }));
        using context = await prefill(model, promptOf(length, seed), { observe: [method] });
        using cache = await compress(context, method);
        const [found] = await fidelities(context, [cache], { window: 4 });
        const expected = stated(context, cache, 4);
        near(found?.recall ?? [], expected.recall);
        near(found?.outputError ?? [], expected.outputError);
      },
      60,
    ));

  test("of a window that is packed are those of the window: distances stay; what else a method keeps comes nearer", async () => {
    const model = await sharedModel({ layers: 3 }, 2);
    using context = await prefill(model, promptOf(80, 3));
    const of = async (method: Method) => {
      using cache = await compress(context, method);
      return (await fidelities(context, [cache]))[0];
    };
    const [window, moved] = [
      await of(registry.window({ budget: 30 })),
      await of(packed(registry.window({ budget: 30 }))),
    ];
    near(moved?.recall ?? [], window?.recall ?? []);
    near(moved?.outputError ?? [], window?.outputError ?? []);
    const [kept, nearer] = [await of(snapKV({ budget: 30 })), await of(packed(snapKV({ budget: 30 })))];
    near(nearer?.recall ?? [], kept?.recall ?? []);
    for (const [layer, error] of (nearer?.outputError ?? []).entries())
      expect(Math.abs(error - (kept?.outputError[layer] ?? 0))).toBeGreaterThan(1e-4);
  });

  test("of codes are further off with fewer bits, and recall what the method does", async () => {
    const model = await sharedModel({ layers: 3 }, 2);
    using context = await prefill(model, promptOf(150, 3));
    const errors: number[] = [];
    for (const bits of [8, 4, 2] as const) {
      using cache = await compress(context, quantised(full(), { bits, recent: 1 }));
      const [of] = await fidelities(context, [cache]);
      near(of?.recall ?? [], [1, 1, 1]);
      errors.push(of?.outputError[0] ?? 0);
    }
    expect(errors[0]).toBeGreaterThan(0);
    expect(errors).toEqual(errors.toSorted((a, b) => a - b));
  });

  test("of a whole cache are 1 and 0, and of several caches those of each alone", async () => {
    const model = await sharedModel({ layers: 3 }, 2);
    const method = registry.snapkv({ budget: 20 });
    using context = await prefill(model, promptOf(80, 3), { observe: [method] });
    using whole = await compress(context, full());
    using small = await compress(context, method);
    const [all, some] = await fidelities(context, [whole, small]);
    near(all?.recall ?? [], [1, 1, 1]);
    near(all?.outputError ?? [], [0, 0, 0]);
    expect([some]).toEqual([...(await fidelities(context, [small]))]);
    for (const recall of some?.recall ?? []) expect(recall).toBeLessThan(1);
  });

  test("grow no worse with the budget of a window", async () => {
    const model = await sharedModel({ layers: 3 }, 2);
    using context = await prefill(model, promptOf(80, 5));
    const recalls: number[] = [];
    for (const budget of [8, 20, 40, 79]) {
      using cache = await compress(context, registry.window({ budget }));
      recalls.push((await fidelities(context, [cache]))[0]?.recall[0] ?? 0);
    }
    expect(recalls).toEqual(recalls.toSorted((a, b) => a - b));
  });

  test("of queries that were not observed are refused, and of a disposed context", async () => {
    const model = await sharedModel({}, 1);
    const context = await prefill(model, promptOf(20, 1));
    for (const window of [0, 21, 1.5, Number.NaN])
      expect(await faultOf(() => fidelities(context, [], { window }))).toMatchObject({
        code: "invalid_option",
        path: ["fidelities", "window"],
        found: window,
      });
    context[Symbol.dispose]();
    expect((await faultOf(() => fidelities(context, []))).code).toBe("disposed");
  });
});
