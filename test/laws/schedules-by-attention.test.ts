/** Schedules that look at attention, over all layers at once: what they spend, and on whom. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels } from "../../kernels/index.ts";
import { byScore, globalHeads, keyNorm, lazyLayers, type ScheduleRequest, uniform } from "../../src/index.ts";
import { layersOf, ties } from "../support/arbitraries.ts";
import { range, sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const sizes = fc.record({
  layers: fc.integer({ min: 1, max: 5 }),
  kvHeads: fc.integer({ min: 1, max: 4 }),
  mean: fc.nat(40),
  limit: fc.nat(50),
  kept: fc.nat(8),
});
const unseen = () => assert.fail("looks at scores alone");

describe("heads of all layers together", () => {
  test("have what the highest scores of them all fall on; of equal ones on the lower layer, then head", () =>
    holds(
      fc.tuple(sizes, fc.constantFrom(2, 9, 1000), fc.nat(10_000)),
      async ([request, levels, seed]) => {
        const { layers, kvHeads, mean, limit } = request;
        const scores = async (layer: number) => ties(seed + layer, levels, kvHeads, limit);
        const counts = await globalHeads()({ ...request, scores, view: unseen });
        const all: { layer: number; head: number; score: number }[] = [];
        for (const layer of range(0, layers))
          for (const [i, score] of (await scores(layer)).data.entries())
            all.push({ layer, head: Math.floor(i / limit), score });
        const total = Math.min(mean, limit) * layers * kvHeads;
        const chosen = all.toSorted((a, b) => b.score - a.score).slice(0, total);
        const expected = range(0, layers).map((layer) =>
          range(0, kvHeads).map((head) => chosen.filter((one) => one.layer === layer && one.head === head).length),
        );
        assert.deepEqual(counts, expected);
      },
      300,
    ));
});

describe("lazy layers", async () => {
  const shape = { seed: 3, layers: 4, kvHeads: 2, group: 2, length: 30, budget: 12 };
  const views = (await layersOf(shape, referenceKernels())).map((layer) => ({
    ...layer,
    candidates: { from: 2, to: 25 },
  }));
  const request = (mean: number): ScheduleRequest => ({
    layers: 4,
    kvHeads: 2,
    mean,
    limit: 23,
    kept: 7,
    scores: unseen,
    view: async (layer) => views[layer] ?? assert.fail(`no layer ${layer}`),
  });
  const spent = async (threshold: number, mean: number) =>
    lazyLayers({ first: 2, last: 5, queries: 1, threshold })(request(mean));

  test("spend exactly the total, whoever is lazy, from nothing to all there is", () =>
    holds(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(30)), async ([threshold, mean]) => {
      const counts = await spent(threshold, mean);
      assert.equal(sum(counts.flat()), Math.min(mean, 23) * 8);
      assert.ok(counts.flat().every((count) => Number.isInteger(count) && count >= 0 && count <= 23));
    }));

  test("where all are, or none is, have the same", async () => {
    for (const threshold of [0, 1]) assert.deepEqual(await spent(threshold, 9), uniform()(request(9)));
  });
});

test("a schedule by another score is given that one's scores, and what it needs is observed", async () => {
  const shape = { seed: 3, layers: 2, kvHeads: 2, group: 2, length: 30, budget: 12 };
  const views = (await layersOf(shape, referenceKernels())).map((layer) => ({
    ...layer,
    candidates: { from: 2, to: 25 },
  }));
  const other = { ...keyNorm(), needs: { columnSums: true }, namesHeads: true as const };
  const schedule = byScore(other, async ({ scores }) => [[...(await scores(1)).data]]);
  const view = async (layer: number) => views[layer] ?? assert.fail(`no layer ${layer}`);
  const sizes = { layers: 2, kvHeads: 2, mean: 5, limit: 23, kept: 7 };
  const [found] = await schedule({ ...sizes, view, scores: unseen });
  assert.deepEqual(found, [...(await keyNorm().evaluate(await view(1))).data]);
  assert.deepEqual([schedule.needs, schedule.namesHeads], [{ columnSums: true }, true]);
});
