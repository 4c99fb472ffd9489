import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels } from "../../kernels/index.ts";
import { adaptiveHeads } from "../../src/allocation/adaptive-heads.ts";
import { kvcacheFactoryPyramid } from "../../src/allocation/published/kvcache-factory.ts";
import { kvpressPyramid } from "../../src/allocation/published/kvpress.ts";
import { roundHalfEven } from "../../src/allocation/published/python.ts";
import { pyramid } from "../../src/allocation/pyramid.ts";
import { roundToTotal } from "../../src/allocation/round.ts";
import type { Counts, FixedSchedule, ScheduleSizes } from "../../src/allocation/schedule.ts";
import { uniform } from "../../src/allocation/uniform.ts";
import { define } from "../../src/methods/define.ts";
import { lastTokens } from "../../src/methods/method.ts";
import { select } from "../../src/methods/select.ts";
import { betas, layersOf, scheduleRequests, ties } from "../support/arbitraries.ts";
import { holds } from "../support/seed.ts";

const RUNS = 500;
const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const first = (counts: Counts) => counts.map((heads) => heads[0] ?? -1);
const exact = fc.oneof(
  fc.constant(uniform()),
  betas.map((beta) => pyramid({ beta })),
);

describe("a schedule", () => {
  test("spends exactly its total", () =>
    holds(
      fc.tuple(exact, scheduleRequests),
      ([schedule, request]) => {
        const { mean, limit, layers, kvHeads } = request;
        assert.equal(sum(schedule(request).flat()), Math.min(mean, limit) * layers * kvHeads);
      },
      RUNS,
    ));

  test("gives every layer and head an integer from 0 to the candidates there are", () =>
    holds(
      fc.tuple(exact, scheduleRequests),
      ([schedule, request]) => {
        const counts = schedule(request);
        assert.deepEqual(
          counts.map((heads) => heads.length),
          Array(request.layers).fill(request.kvHeads),
        );
        assert.ok(counts.flat().every((n) => Number.isInteger(n) && n >= 0 && n <= request.limit));
      },
      RUNS,
    ));

  test("treats the heads of a layer alike", () =>
    holds(fc.tuple(exact, scheduleRequests), ([schedule, request]) => {
      for (const heads of schedule(request)) assert.equal(new Set(heads).size, 1);
    }));
});

describe("the pyramid", () => {
  test("never widens towards the top", () =>
    holds(
      fc.tuple(betas, scheduleRequests),
      ([beta, request]) => {
        const counts = first(pyramid({ beta })(request));
        assert.deepEqual(
          counts,
          counts.toSorted((a, b) => b - a),
        );
      },
      RUNS,
    ));

  test("is a straight line, up to rounding", () =>
    holds(
      fc.tuple(betas, scheduleRequests),
      ([beta, request]) => {
        const counts = first(pyramid({ beta })(request));
        const base = Math.min(request.mean, request.limit);
        const high = Math.min(2 * base - base / beta, request.limit);
        const slope = request.layers === 1 ? 0 : (2 * (high - base)) / (request.layers - 1);
        const start = request.layers === 1 ? base : high;
        counts.forEach((n, layer) => {
          assert.ok(Math.abs(n - (start - slope * layer)) <= 1 + 1e-9);
        });
      },
      RUNS,
    ));

  test("keeps mean / beta at the top and the rest of twice the mean at the bottom, as the paper says", () => {
    const counts = first(pyramid({ beta: 20 })({ layers: 30, kvHeads: 1, mean: 120, limit: 8000, kept: 8 }));
    assert.deepEqual([counts.at(0), counts.at(-1)], [234, 6]);
  });

  test("is tilted flatter when the prompt is too short for it, and flat when only just long enough", () => {
    const request = { layers: 3, kvHeads: 1, mean: 100, kept: 8 };
    assert.deepEqual(first(pyramid()({ ...request, limit: 150 })), [150, 100, 50]);
    assert.deepEqual(first(pyramid()({ ...request, limit: 100 })), [100, 100, 100]);
  });

  test("is uniform over a single layer, and empty with nothing to spend", () => {
    assert.deepEqual(pyramid()({ layers: 1, kvHeads: 2, mean: 7, limit: 100, kept: 8 }), [[7, 7]]);
    assert.deepEqual(pyramid()({ layers: 2, kvHeads: 1, mean: 0, limit: 100, kept: 8 }), [[0], [0]]);
  });

  test("is steeper than flat: beta above 1", () => {
    for (const beta of [1, 0, -20, Number.NaN]) assert.throws(() => pyramid({ beta }), { code: "invalid_option" });
  });
});

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
  const unseen = () => assert.fail("looks at scores alone");
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

describe("largest-remainder rounding", () => {
  const shares = fc.record({
    weights: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
    fill: fc.double({ min: 0, max: 1, noNaN: true }),
    limit: fc.integer({ min: 0, max: 50 }),
  });

  test("reaches its total within the limits, whatever the shares", () =>
    holds(
      shares,
      ({ weights, fill, limit }) => {
        const total = Math.floor(fill * limit * weights.length);
        const scale = total / Math.max(1e-9, sum(weights));
        const counts = roundToTotal(
          weights.map((w) => w * scale),
          total,
          limit,
        );
        assert.equal(sum(counts), total);
        assert.ok(counts.every((n) => Number.isInteger(n) && n >= 0 && n <= limit));
      },
      RUNS,
    ));

  test("gives what is left to the largest remainder, of equals to the lower index", () => {
    assert.deepEqual(roundToTotal([1.2, 1.7, 1.1], 4, 9), [1, 2, 1]);
    assert.deepEqual(roundToTotal([1.5, 1.5, 1.5, 1.5], 6, 9), [2, 2, 1, 1]);
  });
});

describe("the published schedules", () => {
  const longer = scheduleRequests.filter(({ mean, limit, layers }) => limit > mean && layers > 1);
  const agrees = (ours: (beta: number) => FixedSchedule, plain: (beta: number, request: ScheduleSizes) => number[]) =>
    holds(
      fc.tuple(fc.integer({ min: 2, max: 40 }), longer),
      ([beta, request]) => {
        const expected = plain(beta, request).map((n) => n - request.kept);
        assert.deepEqual(first(ours(beta)(request)), expected);
      },
      RUNS,
    );
  const ramp = (layers: number, at: (layer: number) => number) =>
    Array.from({ length: layers }, (_, layer) => at(layer));

  test("KVCache-Factory's pyramid is its formula", () =>
    agrees(
      (beta) => kvcacheFactoryPyramid({ beta }),
      (beta, { layers, mean, limit, kept: w }) => {
        const [b, n] = [mean + w, limit + w];
        if (n < 2 * (b - w)) return ramp(layers, () => b);
        let mn = (b - w - ((b - w) % beta)) / beta;
        let mx = 2 * (b - w) - mn;
        if (mx >= n - w) {
          mx = n - w;
          mn = 2 * (b - w) - mx;
        }
        const step = (mx - mn - ((mx - mn) % (layers - 1))) / (layers - 1);
        return ramp(layers, (layer) => mx - layer * step + w);
      },
    ));

  test("kvpress's pyramid is its formula", () =>
    agrees(
      (beta) => kvpressPyramid({ beta }),
      (beta, { layers, mean, limit, kept: w }) => {
        const [b, n] = [mean + w, limit + w];
        let mn = b / beta;
        let mx = 2 * b - mn;
        if (mx >= n - w) {
          mx = n - w;
          mn = 2 * b - mx;
        }
        if (!(n >= mx && mx >= mn && mn >= w)) return ramp(layers, () => b);
        return ramp(layers, (layer) => {
          const x = mx - layer * ((mx - mn) / (layers - 1));
          return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
        });
      },
    ));

  test("KVCache-Factory's overspends: 74.5 entries for a budget of 64", () => {
    const counts = first(kvcacheFactoryPyramid()({ layers: 30, kvHeads: 1, mean: 56, limit: 220, kept: 8 })).map(
      (n) => n + 8,
    );
    assert.deepEqual([counts.at(0), counts.at(-1), sum(counts) / 30], [118, 31, 74.5]);
  });

  test("kvpress's is silently uniform below beta windows", () => {
    const counts = kvpressPyramid()({ layers: 30, kvHeads: 1, mean: 56, limit: 8000, kept: 8 });
    assert.deepEqual(new Set(first(counts)), new Set([56]));
  });

  test("Python rounds halves to even", () => {
    assert.deepEqual([0.5, 1.5, 2.5, 3.5, 2.4, 2.6].map(roundHalfEven), [0, 2, 2, 4, 2, 3]);
  });
});
