/** Schedules over layers against restatements of their formulas, and their sums where they look at attention. */

import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { onnxKernels, referenceKernels } from "../../kernels/index.ts";
import {
  layerDecay,
  layerDensity,
  layerPreference,
  layerShares,
  layerUncertainty,
} from "../../src/allocation/index.ts";
import { leastKeys } from "../../src/allocation/layer-uncertainty.ts";
import type { Schedule, ScheduleSizes } from "../../src/allocation/schedule.ts";
import { cake, d2o, zigZagKV } from "../../src/methods/index.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf, prompts } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { mean, sum, variance } from "../support/numbers.ts";
import { plainAttention } from "../support/plain-attention.ts";
import { holds } from "../support/seed.ts";

const WINDOW = 3;
/** Longer than the window, so that there is something to look at. */
const shapes = prompts(WINDOW + 1).filter(({ length }) => length > WINDOW + 1);
const fixed: ScheduleSizes = { layers: 5, kvHeads: 2, mean: 100_000, limit: 400_000, kept: 8 };
const looking: Readonly<Record<string, Schedule>> = {
  layerPreference: layerPreference({ window: WINDOW }),
  layerUncertainty: layerUncertainty({ window: WINDOW }),
  layerDensity: layerDensity(),
  "layerDensity, exempt layers": layerDensity({ exemptLowest: 2, exemptHighest: 1 }),
};

/** What a schedule is asked about layers that were observed, of whatever sizes: far more candidates show its weights to six digits. */
const about = (layers: readonly LayerObservation<Tensor>[], sizes: ScheduleSizes) => ({
  ...sizes,
  scores: () => assert.fail("looks at layers alone"),
  view: async (layer: number) => {
    const observed = layers[layer] ?? assert.fail(`no layer ${layer}`);
    return { ...observed, candidates: { from: 0, to: observed.length - WINDOW } };
  },
});

/** That counts are in proportion to the weights, none being full. */
async function assertProportional(
  schedule: Schedule,
  layers: readonly LayerObservation<Tensor>[],
  weigh: (layer: LayerObservation<Tensor>) => number,
  floor = 0,
) {
  const sizes = { ...fixed, layers: layers.length, kvHeads: 1, limit: 100_000 * layers.length };
  const counts = (await schedule(about(layers, sizes))).flat();
  const weights = layers.map(weigh);
  for (const [layer, weight] of weights.entries()) {
    const share = floor / layers.length + ((1 - floor) * weight) / sum(weights);
    assert.ok(Math.abs((counts[layer] ?? 0) / sizes.limit - share) < 1e-4, `${counts} for ${weights}`);
  }
}

/** Those of the window's queries to the keys before them: [h][i][j]. */
const before = (layer: LayerObservation<Tensor>) =>
  plainAttention(layer, WINDOW).map((rows) => rows.map((row) => row.slice(0, layer.length - WINDOW)));
const columns = (rows: readonly (readonly number[])[]) =>
  (rows[0] ?? []).map((_, j) => rows.map((row) => row[j] ?? Number.NaN));

for (const [backend, kernels] of Object.entries({ reference: referenceKernels(), onnx: onnxKernels({ threads: 1 }) })) {
  describe(`on ${backend} kernels`, () => {
    test("CAKE's layers have entropy and variance, each to its power", () =>
      holds(
        fc.tuple(shapes, fc.constantFrom(0.5, 1, 2), fc.constantFrom(0.7, 1, 3)),
        async ([shape, dispersion, shift]) => {
          const layers = await layersOf(shape, kernels);
          await assertProportional(layerPreference({ window: WINDOW, dispersion, shift }), layers, (layer) => {
            const attention = before(layer);
            const entropy = sum(attention.flat(2).map((a) => (a > 0 ? -a * Math.log(a) : 0)));
            const moved = sum(attention.flatMap((rows) => columns(rows).map(variance)));
            return entropy ** (1 / dispersion) * moved ** (1 / shift);
          });
        },
        25,
      ));

    test("ZigZagKV's layers have what they need for most of their attention, above a floor", () =>
      holds(
        fc.tuple(shapes, fc.constantFrom(0.5, 0.9, 1), fc.constantFrom(0, 0.2, 1)),
        async ([shape, share, floor]) => {
          const layers = await layersOf(shape, kernels);
          const schedule = layerUncertainty({ window: WINDOW, share: share - 1e-5, floor });
          const weigh = (layer: LayerObservation<Tensor>) =>
            mean(
              before(layer).map((rows) => {
                const mass = columns(rows).map(sum);
                const enough = (share - 1e-5) * sum(mass);
                const order = mass.toSorted((a, b) => b - a);
                return order.findIndex((_, i) => sum(order.slice(0, i + 1)) >= enough) + 1;
              }),
            );
          await assertProportional(schedule, layers, weigh, floor);
        },
        25,
      ));

    test("D2O's layers have less, the more the attention that keys receive varies", () =>
      holds(
        shapes,
        async (shape) => {
          const layers = await layersOf(shape, kernels);
          await assertProportional(layerDensity(), layers, (layer) => {
            const variances = plainAttention(layer, layer.length).map((rows) => variance(columns(rows).map(sum)));
            const [low, high] = [Math.min(...variances), Math.max(...variances)];
            return Math.exp(-mean(variances.map((one) => (one - low) / (high - low + 1e-6))));
          });
        },
        25,
      ));

    test("those that look at attention spend exactly their total, within the candidates", () =>
      holds(
        fc.tuple(shapes, fc.nat(60), fc.integer({ min: 0, max: 60 })),
        async ([shape, mean, limit]) => {
          const layers = await layersOf(shape, kernels);
          for (const [name, schedule] of Object.entries(looking)) {
            const sizes = { layers: shape.layers, kvHeads: shape.kvHeads, mean, limit, kept: WINDOW };
            const counts = await schedule(about(layers, sizes));
            assert.equal(sum(counts.flat()), Math.min(mean, limit) * shape.layers * shape.kvHeads, name);
            assert.ok(counts.flat().every((n) => Number.isInteger(n) && n >= 0 && n <= limit));
            for (const heads of counts) assert.equal(new Set(heads).size, 1);
          }
        },
        25,
      ));
  });
}

test("D2O's exempt layers keep all that the budget can give them, and the others share what they leave by their densities", () =>
  holds(
    fc.tuple(
      shapes,
      fc.record({ exemptLowest: fc.nat(3), exemptHighest: fc.nat(2), before: fc.nat(2), after: fc.nat(2) }),
      fc.integer({ min: 0, max: 100_000 }),
    ),
    async ([shape, { exemptLowest, exemptHighest, before, after }, mean]) => {
      const layers = await layersOf(shape, referenceKernels());
      // Where layers of a window stand before and after those that share the budget, they count among the lowest and highest.
      const within = {
        depth: before + layers.length + after,
        numbers: layers.map((_, layer) => before + layer),
      };
      const limit = 50_000;
      const sizes = { layers: layers.length, within, kvHeads: 1, mean, limit, kept: WINDOW };
      const at = async (schedule: Schedule) => (await schedule(about(layers, sizes))).flat();
      const counts = await at(layerDensity({ exemptLowest, exemptHighest }));
      const isExempt = layers.map(
        (_, layer) => before + layer < exemptLowest || layers.length - layer + after <= exemptHighest,
      );
      const total = Math.min(mean, limit) * layers.length;
      const exempt = counts.filter((_, layer) => isExempt[layer]);
      const others = counts.filter((_, layer) => !isExempt[layer]);
      assert.equal(sum(counts), total);
      assert.equal(sum(exempt), Math.min(total, exempt.length * limit));
      assert.ok(exempt.every((count) => Math.abs(count - sum(exempt) / exempt.length) < 1));
      // As D2O would share them without the exempt layers, whatever these are like.
      const plain = await layerDensity()(about(layers, { ...sizes, mean: 100_000, limit: 1_000_000 }));
      const weights = plain.flat().filter((_, layer) => !isExempt[layer]);
      if (others.some((count) => count === limit)) return;
      for (const [i, count] of others.entries()) {
        const share = (sum(others) * (weights[i] ?? 0)) / sum(weights);
        assert.ok(Math.abs(count - share) <= 1 + 1e-3 * sum(others), `${others} for ${weights}`);
      }
    },
    60,
  ));

test.each([
  ["CAKE", cake],
  ["ZigZagKV", zigZagKV],
] as const)("%s's schedule looks at the queries that its score looks at", (_, method) =>
  holds(fc.integer({ min: 2, max: 40 }), (window) => {
    const { needs, keep, score, allocate } = method({ budget: 64, window });
    assert.deepEqual([needs.queries, keep.last], [window, window]);
    assert.deepEqual([score?.needs.queries, allocate.needs?.queries], [window, window]);
  }),
);

test("the least keys that have a share are counted from the largest, and just enough are enough", () => {
  const mass = Float32Array.of(1, 4, 2, 3);
  assert.deepEqual(
    [0.4, 0.41, 0.7, 1].map((share) => leastKeys(mass, share)),
    [1, 2, 2, 4],
  );
  assert.equal(leastKeys(new Float32Array(3), 0.9), 0);
});

describe("PyramidInfer's decay", () => {
  const at = (decay: number) => layerDecay({ decay })(fixed).map(([first = Number.NaN]) => first);

  test("passes on nearly all at the bottom and nearly the decay at the top", () => {
    const counts = at(0.5);
    const passed = counts.slice(1).map((count, layer) => count / (counts[layer] ?? Number.NaN));
    const expected = [0, 1, 2, 3].map((layer) => 0.75 + 0.25 * Math.cos((layer * Math.PI) / 5));
    passed.forEach((share, layer) => {
      assert.ok(Math.abs(share - (expected[layer] ?? 0)) < 1e-4);
    });
    assert.equal(passed[0], 1);
  });

  test("of 1 is uniform", () => assert.deepEqual(at(1), Array(5).fill(100_000)));
});

describe("a list", () => {
  test("gives layers what it says, relative to each other, and passes on what they cannot take", () => {
    const request = { layers: 3, kvHeads: 2, mean: 20, limit: 40, kept: 0 };
    assert.deepEqual(layerShares([2, 1, 1])(request), [
      [30, 30],
      [15, 15],
      [15, 15],
    ]);
    assert.deepEqual(layerShares([0.6, 0.2, 0])(request), [
      [40, 40],
      [20, 20],
      [0, 0],
    ]);
  });

  test("is for models of as many layers", async () => {
    const fault = await faultOf(() => layerShares([1, 2])(fixed));
    assert.deepEqual([fault.code, fault.found, fault.path], ["wrong_shape", [2], ["layerShares", "shares"]]);
  });
});

test("options out of range are errors that name them", async () => {
  const wrong = [
    () => layerShares([]),
    () => layerShares([1, -1]),
    () => layerShares([Number.NaN]),
    () => layerDecay({ decay: 0 }),
    () => layerDecay({ decay: 1.1 }),
    () => layerPreference({ window: 1 }),
    () => layerPreference({ window: 8, dispersion: 0 }),
    () => layerPreference({ window: 8, shift: Number.POSITIVE_INFINITY }),
    () => layerUncertainty({ window: 0 }),
    () => layerUncertainty({ window: 8, share: 0 }),
    () => layerUncertainty({ window: 8, floor: 2 }),
    () => layerDensity({ exemptLowest: -1 }),
    () => layerDensity({ exemptHighest: 1.5 }),
    () => d2o({ budget: 64, exemptLowest: -1 }),
    () => d2o({ budget: 64, exemptHighest: Number.POSITIVE_INFINITY }),
    () => cake({ budget: 64, window: 1 }),
    () => zigZagKV({ budget: 64, window: 0 }),
  ];
  for (const make of wrong) assert.equal((await faultOf(make)).code, "invalid_option");
});
