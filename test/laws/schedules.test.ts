/** What every schedule that looks at sizes and measurements alone obeys. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { alongCurves } from "../../src/allocation/budget-curves.ts";
import { headImportance } from "../../src/allocation/head-importance.ts";
import { layerDecay } from "../../src/allocation/layer-decay.ts";
import { layerShares } from "../../src/allocation/layer-shares.ts";
import { pyramid } from "../../src/allocation/pyramid.ts";
import { retrievalHeads } from "../../src/allocation/retrieval-heads.ts";
import type { Schedule, ScheduleSizes } from "../../src/allocation/schedule.ts";
import { uniform } from "../../src/allocation/uniform.ts";
import { betas, scheduleRequests, ties } from "../support/arbitraries.ts";
import { someCurves, someHeads } from "../support/measurements.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const RUNS = 500;
const alike = fc.oneof(
  betas.map((beta) => () => pyramid({ beta })),
  fc.constant(() => uniform()),
  fc.double({ min: 0.01, max: 1, noNaN: true }).map((decay) => () => layerDecay({ decay })),
  fc.nat().map(
    (seed) =>
      ({ layers }: ScheduleSizes) =>
        layerShares([...ties(seed, 5, layers).data]),
  ),
);
/** Those that tell heads apart by what was measured of each; zeros and ties among the measurements. */
const measured = fc.record({ seed: fc.nat(), levels: fc.constantFrom(1, 2, 5, 1000), beta: betas }).chain((random) =>
  fc.constantFrom<(sizes: ScheduleSizes) => Schedule>(
    (sizes) => headImportance({ heads: someHeads(random, sizes), beta: random.beta }),
    (sizes) => retrievalHeads({ heads: someHeads(random, sizes) }),
    (sizes) => alongCurves({ curves: someCurves(random, sizes) }),
  ),
);
const any = fc.oneof(alike, measured);
const unseen = () => assert.fail("looks at sizes alone");
const asked = (sizes: ScheduleSizes) => ({ ...sizes, scores: unseen, view: unseen });

describe("a schedule", () => {
  test("spends exactly its total", () =>
    holds(
      fc.tuple(any, scheduleRequests),
      async ([make, request]) => {
        const { mean, limit, layers, kvHeads } = request;
        const counts = await make(request)(asked(request));
        assert.equal(sum(counts.flat()), Math.min(mean, limit) * layers * kvHeads);
      },
      RUNS,
    ));

  test("gives every layer and head an integer from 0 to the candidates there are", () =>
    holds(
      fc.tuple(any, scheduleRequests),
      async ([make, request]) => {
        const counts = await make(request)(asked(request));
        assert.deepEqual(
          counts.map((heads) => heads.length),
          Array(request.layers).fill(request.kvHeads),
        );
        assert.ok(counts.flat().every((n) => Number.isInteger(n) && n >= 0 && n <= request.limit));
      },
      RUNS,
    ));

  test("treats the heads of a layer alike, unless it was told of them", () =>
    holds(fc.tuple(alike, scheduleRequests), async ([make, request]) => {
      for (const heads of await make(request)(asked(request))) assert.equal(new Set(heads).size, 1);
    }));

  test("says that it tells heads apart by number, where it does", () =>
    holds(fc.tuple(alike, measured, scheduleRequests), ([like, unlike, request]) => {
      const named = [like(request), unlike(request)].map((schedule: Schedule) => schedule.namesHeads);
      assert.deepEqual(named, [undefined, true]);
    }));
});
