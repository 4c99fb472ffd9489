/** AdaKV's schedule: a layer's total goes to the heads on which its highest scores fall. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels } from "../../kernels/index.ts";
import { adaptiveHeads } from "../../src/allocation/adaptive-heads.ts";
import { pyramid } from "../../src/allocation/pyramid.ts";
import type { ScheduleSizes } from "../../src/allocation/schedule.ts";
import { uniform } from "../../src/allocation/uniform.ts";
import { define } from "../../src/methods/define.ts";
import { lastTokens } from "../../src/methods/method.ts";
import { select } from "../../src/methods/select.ts";
import { betas, layersOf, ties } from "../support/arbitraries.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const RUNS = 500;
const unseen = () => assert.fail("looks at scores alone");

describe("adaptive heads", () => {
  const cases = fc.record({
    sizes: fc.record({
      layers: fc.integer({ min: 1, max: 4 }),
      kvHeads: fc.integer({ min: 1, max: 5 }),
      mean: fc.nat(40),
      limit: fc.nat(50),
      kept: fc.nat(8),
    }),
    floor: fc.double({ min: 0, max: 1, noNaN: true }),
    beta: betas,
    levels: fc.constantFrom(2, 9, 1000),
    seed: fc.nat(10_000),
  });
  const scored = (seed: number, levels: number, { kvHeads, limit }: ScheduleSizes) => ({
    scores: async (layer: number) => ties(seed + layer, levels, kvHeads, limit),
    view: unseen,
  });

  test("give each layer exactly what its schedule over layers does, and every head its floor", () =>
    holds(
      cases,
      async ({ sizes, floor, beta, levels, seed }) => {
        const layers = pyramid({ beta });
        const counts = await adaptiveHeads({ floor, layers })({ ...sizes, ...scored(seed, levels, sizes) });
        const totals = layers(sizes).map(sum);
        assert.deepEqual(counts.map(sum), totals);
        for (const [layer, heads] of counts.entries()) {
          const safe = Math.min(sizes.limit, Math.floor((floor * (totals[layer] ?? 0)) / sizes.kvHeads));
          assert.ok(heads.every((n) => Number.isInteger(n) && n >= safe && n <= sizes.limit));
        }
      },
      RUNS,
    ));

  test("without a floor are how the layer's highest scores fall on its heads; of equal ones on the lower head", () =>
    holds(
      cases,
      async ({ sizes, levels, seed }) => {
        const { scores } = scored(seed, levels, sizes);
        const counts = await adaptiveHeads({ floor: 0 })({ ...sizes, scores, view: unseen });
        for (const [layer, heads] of counts.entries()) {
          const { data } = await scores(layer);
          const ranked = [...data.keys()].sort((a, b) => (data[b] ?? 0) - (data[a] ?? 0) || a - b);
          const best = ranked.slice(0, Math.min(sizes.mean, sizes.limit) * sizes.kvHeads);
          const expected = heads.map((_, head) => best.filter((i) => Math.floor(i / sizes.limit) === head).length);
          assert.deepEqual(heads, expected);
        }
      },
      RUNS,
    ));

  test("are uniform where the floor is all there is, or heads score alike", () =>
    holds(cases, async ({ sizes, levels, seed }) => {
      const expected = uniform()(sizes);
      assert.deepEqual(await adaptiveHeads({ floor: 1 })({ ...sizes, ...scored(seed, levels, sizes) }), expected);
      const alike = async (layer: number) => {
        const row = [...ties(seed + layer, 1e9, 1, sizes.limit).data];
        const data = Float32Array.from(Array.from({ length: sizes.kvHeads }, () => row).flat());
        return { data, dims: [sizes.kvHeads, sizes.limit] };
      };
      assert.deepEqual(await adaptiveHeads({ floor: 0 })({ ...sizes, scores: alike, view: unseen }), expected);
    }));

  test("have a floor that is a share", () => {
    for (const floor of [-0.1, 1.1, Number.NaN])
      assert.throws(() => adaptiveHeads({ floor }), { code: "invalid_option" });
  });

  test("need a method with scores", async () => {
    const windowed = define("windowed", { options: {} }, ({ budget }) => ({
      keep: lastTokens(budget - 1),
      score: null,
      allocate: adaptiveHeads(),
    }));
    const layers = await layersOf(
      { seed: 1, layers: 1, kvHeads: 2, group: 1, length: 20, budget: 8 },
      referenceKernels(),
    );
    await assert.rejects(select(windowed({ budget: 8 }), layers), {
      code: "invalid_option",
      path: ["windowed", "allocate"],
    });
  });
});
