import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { referenceKernels } from "../../kernels/index.ts";
import { qFilters } from "../../src/index.ts";
import { principalDirection } from "../../src/scoring/principal.ts";
import { type Filters, queryFilter } from "../../src/scoring/query-filter.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { normals } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { dot, range, sum, type Vector } from "../support/numbers.ts";
import { onViews, ropeMatrix, times, vectors } from "../support/score-views.ts";

/** The eigenvector of the largest eigenvalue of a symmetric matrix, by Jacobi's rotations. */
function principal(matrix: readonly Vector[]): number[] {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  const v = range(0, n).map((r) => range(0, n).map((c) => (r === c ? 1 : 0)));
  const at = (m: readonly Vector[], r: number, c: number) => m[r]?.[c] ?? Number.NaN;
  const turn = (m: number[][], p: number, q: number, c: number, s: number) => {
    for (const row of m) {
      const [x, y] = [row[p] ?? 0, row[q] ?? 0];
      [row[p], row[q]] = [c * x - s * y, s * x + c * y];
    }
  };
  for (let sweep = 0; sweep < 60; sweep++)
    for (const p of range(0, n))
      for (const q of range(p + 1, n)) {
        const angle = 0.5 * Math.atan2(2 * at(a, p, q), at(a, q, q) - at(a, p, p));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        turn(a, p, q, c, s);
        for (const column of range(0, n)) {
          const [x, y] = [at(a, p, column), at(a, q, column)];
          const [rowP, rowQ] = [a[p] ?? [], a[q] ?? []];
          [rowP[column], rowQ[column]] = [c * x - s * y, s * x + c * y];
        }
        turn(v, p, q, c, s);
      }
  const best = range(0, n).reduce((top, i) => (at(a, i, i) > at(a, top, top) ? i : top), 0);
  return v.map((row) => row[best] ?? 0);
}

/** Moments of queries around a mean that all share, so that one direction stands out. */
async function withMean(view: LayerView<Tensor>): Promise<LayerView<Tensor>> {
  const heads = view.queries.dims[0] ?? 0;
  const { data } = normals(view.length, 50, heads, 4);
  const { sums, products } = await referenceKernels().moments({
    data: data.map((x, i) => x + (i % 4) - 1.2),
    dims: [50, heads, 4],
  });
  return {
    ...view,
    queryMoments: { count: 50, sums: Float64Array.from(sums.data), products: Float64Array.from(products.data) },
  };
}

describe("the prompt's own filters", () => {
  test("are the main direction of its queries, turned by the mean of RoPE over the prompt, averaged over a group", () =>
    onViews(async (plain) => {
      const view = await withMean(plain);
      const { sums, products } = view.queryMoments ?? assert.fail();
      const group = (view.queries.dims[0] ?? 0) / view.kvHeads;
      const turns = range(0, 1 + Math.max(...view.positions)).map((at) => ropeMatrix(view.frequencies, at));
      const { data } = await queryFilter(null).evaluate(view);
      const { from, to } = view.candidates;
      const expected = range(0, view.kvHeads).flatMap((kvHead) => {
        const filters = range(kvHead * group, (kvHead + 1) * group).map((head) => {
          const matrix = range(0, 4).map((r) => [...products.slice(16 * head + 4 * r, 16 * head + 4 * r + 4)]);
          const direction = principal(matrix);
          const side = Math.sign(dot(direction, [...sums.slice(4 * head, 4 * head + 4)]));
          return turns.map((turn) =>
            times(
              turn,
              direction.map((x) => side * x),
            ),
          );
        });
        const filter = range(0, 4).map(
          (c) => sum(filters.flat().map((turned) => turned[c] ?? 0)) / turns.length / group,
        );
        return vectors(view.keys, kvHead)
          .slice(from, to)
          .map((key) => dot(key, filter));
      });
      assert.equal(data.length, expected.length);
      for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - (data[i] ?? Number.NaN)) < 1e-4);
    }));

  test("of queries that are all nothing are nothing", () =>
    onViews(async (view) => {
      const heads = view.queries.dims[0] ?? 0;
      const queryMoments = { count: 0, sums: new Float64Array(4 * heads), products: new Float64Array(16 * heads) };
      assert.ok((await queryFilter(null).evaluate({ ...view, queryMoments })).data.every((score) => score === 0));
    }, 3));
});

describe("the principal direction", () => {
  test("is found whatever the channel it lies along, on the side of the mean", () => {
    for (const channel of range(0, 5))
      for (const side of [1, -1]) {
        const products = new Float64Array(25).map((_, i) => (i % 6 === 0 ? (i === 6 * channel ? 9 : 4) : 0));
        const sums = new Float64Array(5).map((_, i) => (i === channel ? 0.1 * side : 1));
        const expected = new Float64Array(5).map((_, i) => (i === channel ? side : 0));
        assert.deepEqual(
          principalDirection(products, sums).map((x) => Math.round(x * 1e6) / 1e6 + 0),
          expected,
        );
      }
  });
});

const filtersOf = (kvHeads: number): Filters => ({
  kind: "filters",
  label: "filters of a test",
  provenance: { model: "", revision: null, weights: "", corpus: "", tokens: 1, versions: {}, settings: {} },
  tensors: new Map([["filters", normals(5, 2, kvHeads, 4)]]),
});

describe("measured filters", () => {
  test("score keys by how far they reach along the layer's own", () =>
    onViews(async (view) => {
      const filters = filtersOf(view.kvHeads);
      const all = filters.tensors.get("filters")?.data ?? assert.fail();
      for (const layer of [0, 1]) {
        const { data } = await queryFilter(filters).evaluate({ ...view, layer, queryMoments: null });
        const expected = range(0, view.kvHeads).flatMap((head) => {
          const filter = [...all.slice(4 * (layer * view.kvHeads + head)).slice(0, 4)];
          return vectors(view.keys, head)
            .slice(view.candidates.from, view.candidates.to)
            .map((key) => dot(key, filter));
        });
        for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - (data[i] ?? Number.NaN)) < 1e-5);
      }
    }, 15));

  test("of another model's shape are refused; records name them", () =>
    onViews(async (view) => {
      const filters = filtersOf(view.kvHeads + 1);
      assert.equal((await faultOf(() => queryFilter(filters).evaluate(view))).code, "wrong_shape");
      const method = qFilters({ budget: 4, filters });
      assert.deepEqual(
        [method.options.filters, method.namesHeads, method.needs.moments],
        ["filters of a test", true, false],
      );
      const none = qFilters({ budget: 4 });
      assert.deepEqual([none.namesHeads, none.needs.moments], [false, true]);
    }, 3));
});
