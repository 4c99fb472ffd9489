/** Attention recall and output error, against what their definitions say in plain loops. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { attentionRow } from "../../kernels/attention-row.ts";
import { type Fidelity, fidelities } from "../../src/evaluate/fidelity.ts";
import { type Context, compress, full, type KvCache, prefill, registry, retain } from "../../src/index.ts";
import { promptOf } from "../generate/helpers.ts";
import { faultOf } from "../support/fault.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

const shapes = [
  { layers: 2, queryHeads: 4, kvHeads: 2, headDim: 16 },
  { layers: 2, queryHeads: 3, kvHeads: 1, headDim: 16, slidingWindow: 12 },
];

/** From all entries: the softmax over those that are kept, and over all. */
function stated({ model, layers, observation, length }: Context, cache: KvCache, window: number): Fidelity {
  const { queryHeads, kvHeads, headDim, slidingWindow } = model.config;
  const measured = layers.map((entries, layer) => {
    let [recall, error] = [0, 0];
    for (let head = 0; head < queryHeads; head++) {
      const kvHead = Math.floor(head / (queryHeads / kvHeads));
      const kept = new Set(cache.positions(layer, kvHead));
      const rows = (data: Float32Array, j: number) => [
        ...data.slice((kvHead * length + j) * headDim, (kvHead * length + j + 1) * headDim),
      ];
      const keys = entries.keys.slice(kvHead * length * headDim, (kvHead + 1) * length * headDim);
      const queries = observation.queries[layer];
      const count = queries?.dims[1] ?? 0;
      for (let i = 0; i < window; i++) {
        const at = (head * count + count - window + i) * headDim;
        const query = queries?.data.slice(at, at + headDim) ?? new Float32Array();
        const sliding = { slidingWindow: slidingWindow[layer] ?? null };
        const row = attentionRow(query, keys, length - window + i, sliding);
        const mass = row.reduce((sum, weight, j) => sum + (kept.has(j) ? weight : 0), 0);
        const output = (weightOf: (j: number) => number) =>
          Array.from({ length: headDim }, (_, c) =>
            Array.from(row, (_, j) => weightOf(j) * (rows(entries.values, j)[c] ?? 0)).reduce((a, b) => a + b, 0),
          );
        const whole = output((j) => row[j] ?? 0);
        const part = output((j) => (kept.has(j) && mass > 0 ? (row[j] ?? 0) / mass : 0));
        recall += mass;
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
          Array.from({ length: shape.layers }, (_, l) => Array.from({ length: shape.kvHeads }, (_, h) => some(l, h))),
        );
        const window = Math.min(4, length);
        const [found] = fidelities(context, [cache], { window });
        const expected = stated(context, cache, window);
        near(found?.recall ?? [], expected.recall);
        near(found?.outputError ?? [], expected.outputError);
      },
      40,
    ));

  test("of a whole cache are 1 and 0, and of several caches those of each alone", async () => {
    const model = await sharedModel({ layers: 3 }, 2);
    const method = registry.snapkv({ budget: 20 });
    using context = await prefill(model, promptOf(80, 3), { observe: [method] });
    using whole = await compress(context, full());
    using small = await compress(context, method);
    const [all, some] = fidelities(context, [whole, small]);
    near(all?.recall ?? [], [1, 1, 1]);
    near(all?.outputError ?? [], [0, 0, 0]);
    expect([some]).toEqual([...fidelities(context, [small])]);
    for (const recall of some?.recall ?? []) expect(recall).toBeLessThan(1);
  });

  test("grow no worse with the budget of a window", async () => {
    const model = await sharedModel({ layers: 3 }, 2);
    using context = await prefill(model, promptOf(80, 5));
    const recalls: number[] = [];
    for (const budget of [8, 20, 40, 79]) {
      using cache = await compress(context, registry.window({ budget }));
      recalls.push(fidelities(context, [cache])[0]?.recall[0] ?? 0);
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
