/** Schedules that are told what was measured of each head. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  alongCurves,
  budgetCurves,
  type Counts,
  headImportance,
  headScores,
  layerShares,
  retrievalHeads,
  type Schedule,
  type ScheduleSizes,
} from "../../src/allocation/index.ts";
import { scheduleRequests } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { someCurves, someHeads } from "../support/measurements.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const unseen = () => assert.fail("looks at sizes alone");
const counted = async (schedule: Schedule, sizes: ScheduleSizes): Promise<Counts> =>
  schedule({ ...sizes, scores: unseen, view: unseen });
const random = fc.record({ seed: fc.nat(), levels: fc.constantFrom(1, 3, 1000) });
const sizes = { layers: 2, kvHeads: 2, mean: 10, limit: 40, kept: 4 };

describe("HeadKV's heads", () => {
  test("have their even part and their part of the pool, where none is full", () =>
    holds(fc.tuple(random, fc.double({ min: 1.001, max: 20, noNaN: true })), async ([random, beta]) => {
      const large = { layers: 3, kvHeads: 4, mean: 5000, limit: 60_000, kept: 8 };
      const heads = someHeads(random, large);
      const counts = (await counted(headImportance({ heads, beta }), large)).flat();
      const all = sum(heads.values.flat());
      if (all === 0) return;
      for (const [i, score] of heads.values.flat().entries()) {
        const even = large.mean - large.mean / beta;
        const pooled = (score / all) * (large.mean / beta) * large.layers * large.kvHeads;
        assert.ok(Math.abs((counts[i] ?? Number.NaN) - even - pooled) <= 1);
      }
    }));

  test("pass on what they cannot take", async () => {
    const heads = headScores([
      [9, 1],
      [0, 0],
    ]);
    const counts = await counted(headImportance({ heads, beta: 2 }), { ...sizes, limit: 12 });
    assert.deepEqual(counts, [
      [12, 12],
      [8, 8],
    ]);
  });
});

describe("DuoAttention's heads", () => {
  test("keep all or nothing but one, those of higher scores first", () =>
    holds(fc.tuple(random, scheduleRequests), async ([random, request]) => {
      const heads = someHeads(random, request);
      const counts = (await counted(retrievalHeads({ heads }), request)).flat();
      const scores = heads.values.flat();
      assert.ok(counts.filter((count) => count > 0 && count < request.limit).length <= 1);
      for (const [i, count] of counts.entries())
        for (const [j, other] of counts.entries())
          if (count > other) assert.ok((scores[i] ?? 0) > (scores[j] ?? 0) || (scores[i] === scores[j] && i < j));
    }));
});

describe("LU-KV's heads", () => {
  const curves = budgetCurves([
    [
      [0.6, 0.2],
      [0, 0],
    ],
    [
      [1, 0.9],
      [0.5, 0],
    ],
  ]);

  test("keep what the table of this share says, or in between what lies between, scaled to the total", async () => {
    const thirds = { ...sizes, mean: 2000, limit: 6000 };
    assert.deepEqual(await counted(alongCurves({ curves }), thirds), [
      [6000, 2000],
      [0, 0],
    ]);
    // A sixth of all: half of the first table, 0.3 and 0.1 of it.
    assert.deepEqual(await counted(alongCurves({ curves }), { ...sizes, mean: 1000, limit: 6000 }), [
      [3000, 1000],
      [0, 0],
    ]);
    // Half of all: between both, 0.8, 0.55, 0.25 and 0, which make 1.6 of 4.
    assert.deepEqual(await counted(alongCurves({ curves }), { ...sizes, mean: 800, limit: 1600 }), [
      [1600, 1100],
      [500, 0],
    ]);
    // Five sixths: between the last table and all, 1, 0.95, 0.75 and 0.5; the first two are full.
    assert.deepEqual(await counted(alongCurves({ curves }), { ...sizes, mean: 500, limit: 600 }), [
      [600, 600],
      [480, 320],
    ]);
  });

  test("are alike where nothing or everything is kept", () =>
    holds(fc.tuple(random, scheduleRequests), async ([random, request]) => {
      const schedule = alongCurves({ curves: someCurves(random, request) });
      for (const mean of [0, request.limit]) {
        const counts = await counted(schedule, { ...request, mean });
        assert.ok(counts.flat().every((count) => count === mean));
      }
    }));
});

test("measurements of other models, and what is no measurement, are errors that say so", async () => {
  const heads = headScores([[1, 2]]);
  const other = await faultOf(() => counted(headImportance({ heads }), sizes));
  assert.deepEqual([other.code, other.found], ["wrong_shape", [1, 2]]);
  assert.match(other.message, /made for another model/);
  assert.equal((await faultOf(() => counted(retrievalHeads({ heads }), sizes))).code, "wrong_shape");
  const curves = budgetCurves([[[1, 1]]]);
  assert.equal((await faultOf(() => counted(alongCurves({ curves }), sizes))).code, "wrong_shape");
  const wrong = [
    () => headScores([]),
    () => headScores([[]]),
    () => headScores([[1, 2], [1]]),
    () => headScores([[1, -1]]),
    () => headScores([[Number.NaN]]),
    () => budgetCurves([]),
    () => budgetCurves([[[1.1]]]),
    () => headImportance({ heads, beta: 1 }),
  ];
  for (const make of wrong) assert.equal((await faultOf(make)).code, "invalid_option");
  assert.equal((await faultOf(() => budgetCurves([[[1]], [[1], [1]]]))).code, "wrong_shape");
});

test("of a network with sliding layers beside full ones, the lists have a number for every layer, and those of the full ones count", async () => {
  const within = { depth: 4, numbers: [1, 3] };
  const of = { layers: 2, kvHeads: 2, mean: 10, limit: 40, kept: 4 };
  const random = { seed: 3, levels: 1000 };
  const heads = someHeads(random, { layers: 4, kvHeads: 2 });
  const curves = someCurves(random, { layers: 4, kvHeads: 2 });
  const picked = <T>(all: readonly T[]) => all.filter((_, layer) => within.numbers.includes(layer));
  const few = headScores(picked(heads.values));
  const cases: readonly (readonly [all: Schedule, few: Schedule])[] = [
    [headImportance({ heads }), headImportance({ heads: few })],
    [retrievalHeads({ heads }), retrievalHeads({ heads: few })],
    [alongCurves({ curves }), alongCurves({ curves: budgetCurves(curves.tables.map(picked)) })],
    [layerShares([9, 1, 9, 3]), layerShares([1, 3])],
  ];
  for (const [all, expected] of cases) {
    assert.deepEqual(await counted(all, { ...of, within }), await counted(expected, of));
    assert.equal((await faultOf(() => counted(expected, { ...of, within }))).code, "wrong_shape");
  }
});
