/** Steps and combinations of scores, against their sentences; and the laws of methods that are composed of them. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels, type Tensor } from "../../kernels/index.ts";
import {
  adaptiveHeads,
  chain,
  chunks,
  define,
  keyDifference,
  keyNorm,
  lastTokens,
  maxPool,
  meanOverGroup,
  meanOverHeads,
  perLayer,
  protect,
  rank,
  type Score,
  select,
  weightedSum,
  windowAttention,
} from "../../src/index.ts";
import { allNeeds } from "../../src/scoring/needs.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import { layersOf, matrices } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { assertMethodLaw, methodLaws } from "../support/method-laws.ts";
import { holds } from "../support/seed.ts";

const shape = { seed: 4, layers: 3, kvHeads: 2, group: 2, length: 30, budget: 12 };
const layers = await layersOf(shape, referenceKernels());
const views = layers.map((layer): LayerView<Tensor> => ({ ...layer, candidates: { from: 2, to: 25 } }));
const [view = assert.fail()] = views;
const rows = ({ data, dims: [count = 0, columns = 0] }: Tensor) =>
  Array.from({ length: count }, (_, r) => [...data.subarray(r * columns, (r + 1) * columns)]);

describe("ranks", () => {
  test("keep the order, and are how many are lower, and half of the equal ones, of all others", () =>
    holds(matrices, async ({ scores }) => {
      const ranked = rows(await rank(scores, view));
      for (const [r, row] of rows(scores).entries())
        for (const [i, score] of row.entries()) {
          const others = row.filter((_, j) => j !== i);
          const below = others.filter((x) => x < score).length + others.filter((x) => x === score).length / 2;
          const expected = others.length === 0 ? 1 : below / others.length;
          assert.ok(Math.abs((ranked[r]?.[i] ?? Number.NaN) - expected) < 1e-6);
        }
    }));
});

describe("chunks", () => {
  test("give every candidate the mean of its chunk, the last one shorter", () =>
    holds(fc.tuple(matrices, fc.integer({ min: 1, max: 70 })), async ([{ scores }, size]) => {
      const found = rows(await chunks(size)(scores, view));
      for (const [r, row] of rows(scores).entries())
        for (const i of row.keys()) {
          const chunk = row.slice(size * Math.floor(i / size), size * Math.floor(i / size) + size);
          const mean = chunk.reduce((sum, x) => sum + x, 0) / chunk.length;
          assert.ok(Math.abs((found[r]?.[i] ?? Number.NaN) - mean) < 1e-6);
        }
    }));

  test("have a size", async () => {
    for (const size of [0, -1, 1.5, Number.NaN])
      assert.equal((await faultOf(() => chunks(size))).code, "invalid_option");
  });
});

describe("a combination", () => {
  const norm = keyNorm();
  const attention = chain(windowAttention(5), meanOverGroup);

  test("is the weighted sum, and needs what its terms need", async () => {
    const both = weightedSum([2, norm], [-0.5, attention]);
    const [a, b] = [await norm.evaluate(view), await attention.evaluate(view)];
    const { data, dims } = await both.evaluate(view);
    assert.deepEqual(dims, a.dims);
    for (const [i, value] of data.entries())
      assert.ok(Math.abs(value - (2 * (a.data[i] ?? 0) - 0.5 * (b.data[i] ?? 0))) < 1e-6);
    assert.deepEqual(both.needs, allNeeds([{ queries: 5 }]));
    const summing: Score = { ...norm, needs: { queries: 9, columnSums: true } };
    assert.deepEqual(weightedSum([1, summing], [1, attention]).needs, allNeeds([{ queries: 9, columnSums: true }]));
  });

  test("may be another score in every layer, the last one above", async () => {
    const choice = perLayer(attention, norm);
    assert.deepEqual(choice.needs, allNeeds([{ queries: 5 }]));
    for (const [layer, score] of [attention, norm, norm].entries()) {
      const at = views[layer] ?? assert.fail();
      assert.deepEqual(await choice.evaluate(at), await score.evaluate(at));
    }
  });

  test("protects positions while there is room, by their place in the prompt", async () => {
    const protectedOnes = [3, 10, 11];
    const make = (budget: number) =>
      define("protecting", { options: {} }, () => ({
        keep: lastTokens(5),
        score: chain(keyNorm(), protect(protectedOnes)),
        allocate: adaptiveHeads({ floor: 0.2 }),
      }))({ budget });
    for (const positions of (await select(make(12), layers)).flat())
      for (const position of protectedOnes) assert.ok(positions.includes(position));
    // Entries that were at 100 and on before.
    const moved = { ...view, positions: view.positions.map((position) => position + 100) };
    const { data } = await chain(keyNorm(), protect([104])).evaluate(moved);
    assert.deepEqual(
      [...data.keys()].filter((i) => data[i] === Number.POSITIVE_INFINITY),
      [2, 25],
    );
  });
});

describe("methods composed of them obey the laws:", () => {
  const composed = {
    "key differences and the last query, ranked": define("fused", { options: {} }, () => ({
      keep: lastTokens(1),
      score: weightedSum(
        [1, chain(keyDifference(), rank)],
        [1, chain(windowAttention(1), meanOverHeads, maxPool(5), rank)],
      ),
      allocate: adaptiveHeads(),
    })),
    "chunks, another score in the lowest layer": define("chunked", { options: {} }, () => ({
      keep: lastTokens(4),
      score: perLayer(
        weightedSum([1, keyNorm()], [1, chain(windowAttention(4), meanOverGroup)]),
        chain(windowAttention(4), meanOverGroup, chunks(5)),
      ),
      allocate: adaptiveHeads({ floor: 0.5 }),
    })),
  };
  for (const [name, factory] of Object.entries(composed))
    describe(name, () => {
      for (const law of methodLaws) test(law, () => assertMethodLaw(law, factory));
    });
});
