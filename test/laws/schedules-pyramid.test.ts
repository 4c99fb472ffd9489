/** The pyramid as the paper has it, and as two libraries published it. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { kvcacheFactoryPyramid } from "../../src/allocation/published/kvcache-factory.ts";
import { kvpressPyramid } from "../../src/allocation/published/kvpress.ts";
import { roundHalfEven } from "../../src/allocation/published/python.ts";
import { pyramid } from "../../src/allocation/pyramid.ts";
import type { Counts, FixedSchedule, ScheduleSizes } from "../../src/allocation/schedule.ts";
import { betas, scheduleRequests } from "../support/arbitraries.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const RUNS = 500;
const first = (counts: Counts) => counts.map((heads) => heads[0] ?? -1);

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
