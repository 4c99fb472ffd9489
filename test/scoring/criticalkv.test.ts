import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels } from "../../kernels/index.ts";
import { criticalAdaKV, criticalKV, firstBest, maxPool } from "../../src/index.ts";
import { type LayerObservation, type LayerView, step } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf, matrices } from "../support/arbitraries.ts";
import { dot, range, sum } from "../support/numbers.ts";
import { attention, best, groupMean, keeps, queryHeads, vector } from "../support/plain-scores.ts";
import { holds } from "../support/seed.ts";

const W = 3;

/** Mean attention of the window's queries and the group's heads, the highest of three neighbours, plus 1e-4. */
const byAttention = (layer: LayerObservation<Tensor>) => {
  const end = layer.length - W;
  const mean = groupMean(layer, (h) => {
    const rows = range(end, layer.length).map((i) => attention(layer, h, i));
    return range(0, layer.length).map((j) => sum(rows.map((row) => row[j] ?? 0)) / W);
  });
  return mean.map((row) => row.map((_, j) => Math.max(...row.slice(Math.max(0, j - 1), Math.min(end, j + 2))) + 1e-4));
};

/** |W_h v_j|_1, averaged over the heads of a group. */
const projected = (layer: LayerObservation<Tensor>) => {
  const matrix = layer.outputProjection();
  const [hidden = 0] = matrix.dims;
  const d = layer.values.dims[2] ?? 0;
  return groupMean(layer, (h) => {
    const kvHead = Math.floor((h * layer.kvHeads) / queryHeads(layer));
    return range(0, layer.length).map((j) => {
      const value = vector(layer.values, kvHead, j);
      return sum(range(0, hidden).map((o) => Math.abs(dot(value, vector(matrix, o).slice(h * d, (h + 1) * d)))));
    });
  });
};

/** `count` of each head: a share by attention, then the rest by attention times norm. */
function twoStages(
  layer: LayerObservation<Tensor>,
  candidates: readonly number[],
  counts: readonly number[],
  share: number,
) {
  const [scores, norms] = [byAttention(layer), projected(layer)];
  return scores.map((row, head) => {
    const first = best(row, candidates, Math.floor(share * (counts[head] ?? 0)));
    const rest = candidates.filter((j) => !first.includes(j));
    const weighed = row.map((score, j) => score * (norms[head]?.[j] ?? Number.NaN));
    return [...first, ...best(weighed, rest, (counts[head] ?? 0) - first.length)].sort((a, b) => a - b);
  });
}

for (const first of [0, 0.5, 1])
  test(`CriticalKV chooses ${first} of its budget by attention, the rest by attention times the projected value's norm`, () =>
    keeps(
      W + 1,
      (budget) => criticalKV({ budget, window: W, pool: maxPool(3), first }),
      ({ method, layers, candidates, kept }) => {
        for (const [l, layer] of layers.entries()) {
          const counts = range(0, layer.kvHeads).map(() => method.budget - W);
          assert.deepEqual(kept[l], twoStages(layer, candidates, counts, first));
        }
      },
    ));

test("with adaptive heads attention alone says how much each head keeps, and half of that is chosen by it", () =>
  keeps(
    W + 1,
    (budget) => criticalAdaKV({ budget, window: W, pool: maxPool(3) }),
    ({ method, layers, candidates, kept }) => {
      for (const [l, layer] of layers.entries()) {
        const mean = method.budget - W;
        const safe = Math.floor(0.2 * mean);
        const scores = byAttention(layer);
        const [open, counts] = [scores.map((row) => best(row, candidates, safe)), scores.map(() => safe)];
        const rest = scores.flatMap((row, head) =>
          candidates.filter((j) => !open[head]?.includes(j)).map((j) => ({ head, j, score: row[j] ?? 0 })),
        );
        rest.sort((a, b) => b.score - a.score || a.head - b.head || a.j - b.j);
        for (const { head } of rest.slice(0, (mean - safe) * layer.kvHeads)) counts[head] = (counts[head] ?? 0) + 1;
        assert.deepEqual(kept[l], twoStages(layer, candidates, counts, 0.5));
      }
    },
  ));

describe("the first best", () => {
  const backwards = step("backwards", async ({ data, dims }) => ({ data: data.map((x) => -x), dims }));
  const kernels = referenceKernels();

  test("stay above all others in their order, and the others follow in that of the second stage", () =>
    holds(fc.tuple(matrices, fc.nat(70)), async ([{ scores }, count]) => {
      const [layer] = await layersOf({ seed: 1, layers: 1, kvHeads: 1, group: 1, length: 4, budget: 1 }, kernels);
      const [rows = 0, columns = 0] = scores.dims;
      const view: LayerView<Tensor> = { ...(layer ?? assert.fail()), candidates: { from: 0, to: columns } };
      const staged = await firstBest(count, backwards)(scores, view);
      for (const r of range(0, rows)) {
        const [row, result] = [vector(scores, r), vector(staged, r)];
        const all = range(0, columns);
        const top = best(row, all, count);
        const order = (of: readonly number[], among: readonly number[]) =>
          [...among].sort((a, b) => (of[b] ?? 0) - (of[a] ?? 0) || a - b);
        const others = all.filter((j) => !top.includes(j));
        const expected = [
          ...order(row, top),
          ...order(
            row.map((x) => -x),
            others,
          ),
        ];
        assert.deepEqual(order(result, all), expected);
      }
    }));
});
