import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { expectedAttention } from "../../src/index.ts";
import type { QueryStatistics } from "../../src/scoring/query-statistics.ts";
import type { LayerView, Score } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { normals } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { dot, norm, range, sum, type Vector } from "../support/numbers.ts";
import { agrees, onViews, ropeMatrix, times, timesMatrix, transpose, vectors } from "../support/score-views.ts";

interface Formula {
  readonly future?: number;
  readonly covariance?: boolean;
  readonly valueNorm?: boolean;
  readonly epsilon?: number;
  /** [head] */
  readonly statistics?: (view: LayerView<Tensor>, head: number) => { mean: Vector; covariance: Vector[] };
}

/** The paper's formula: the next positions' rotations are really added up, and R Sigma R' is made of whole matrices. */
const formula =
  ({ future = 512, covariance = true, valueNorm = true, epsilon = 0, statistics = ofPrompt }: Formula) =>
  (view: LayerView<Tensor>): number[][] => {
    const { from, to } = view.candidates;
    const group = (view.queries.dims[0] ?? 0) / view.kvHeads;
    const next = 1 + Math.max(...view.positions);
    const turns = range(next, next + future).map((position) => ropeMatrix(view.frequencies, position));
    const rotation = range(0, 4).map((r) =>
      range(0, 4).map((c) => sum(turns.map((turn) => turn[r]?.[c] ?? 0)) / future),
    );
    return range(0, view.kvHeads).map((kvHead) => {
      const keys = vectors(view.keys, kvHead).slice(from, to);
      const values = vectors(view.values, kvHead).slice(from, to);
      const heads = range(kvHead * group, (kvHead + 1) * group).map((head) => {
        const own = statistics(view, head);
        const mean = times(rotation, own.mean);
        const spread = timesMatrix(timesMatrix(rotation, own.covariance), transpose(rotation));
        const expected = keys.map((key) =>
          Math.exp(dot(key, mean) / 2 + (covariance ? dot(key, times(spread, key)) / 8 : 0)),
        );
        return expected.map((mass) => mass / sum(expected));
      });
      return keys.map((_, j) => {
        const mass = sum(heads.map((head) => head[j] ?? Number.NaN)) / group;
        return valueNorm ? (mass + epsilon) * norm(values[j] ?? []) : mass;
      });
    });
  };

function ofPrompt({ queryMoments }: LayerView<Tensor>, head: number) {
  const { count, sums, products } = queryMoments ?? assert.fail();
  const mean = [...sums.slice(4 * head, 4 * head + 4)].map((x) => x / count);
  const covariance = range(0, 4).map((a) =>
    range(0, 4).map((b) => (products[16 * head + 4 * a + b] ?? 0) / count - (mean[a] ?? 0) * (mean[b] ?? 0)),
  );
  return { mean, covariance };
}

const scoreOf = (options: Omit<Parameters<typeof expectedAttention>[0], "budget">): Score =>
  expectedAttention({ budget: 100, ...options }).score ?? assert.fail();

/** Of a model of two layers and `heads` query heads. */
const measured = (heads: number, seed = 1): QueryStatistics => ({
  kind: "query-statistics",
  label: "query-statistics of a test",
  provenance: { model: "", revision: null, weights: "", corpus: "", tokens: 1, versions: {}, settings: {} },
  tensors: new Map([
    ["mean", normals(seed, 2, heads, 4)],
    ["covariance", normals(seed + 1, 2, heads, 4, 4)],
  ]),
});

describe("expected attention is its formula", () => {
  test("as published", () => agrees(scoreOf({}), formula({})));
  test("over other positions", () => agrees(scoreOf({ future: 3 }), formula({ future: 3 })));
  test("by the mean alone", () => agrees(scoreOf({ covariance: false }), formula({ covariance: false })));
  test("without value norms, where a head sums to 1", async () => {
    await agrees(scoreOf({ valueNorm: false }), formula({ valueNorm: false }));
    await onViews(async (view) => {
      const { data, dims } = await scoreOf({ valueNorm: false }).evaluate(view);
      const [heads = 0, columns = 0] = dims;
      for (const head of range(0, heads))
        assert.ok(Math.abs(sum([...data.slice(head * columns, (head + 1) * columns)]) - 1) < 1e-5);
    }, 10);
  });
  test("with an epsilon", () => agrees(scoreOf({ epsilon: 0.02 }), formula({ epsilon: 0.02 })));

  test("with measured statistics, of the view's own layer", () =>
    onViews(async (view) => {
      const statistics = measured(view.queries.dims[0] ?? 0);
      for (const layer of [0, 1]) {
        const from = (name: string, size: number, head: number) =>
          statistics.tensors.get(name)?.data.slice((layer * (view.queries.dims[0] ?? 0) + head) * size) ??
          assert.fail();
        const expected = formula({
          statistics: (_, head) => ({
            mean: [...from("mean", 4, head).slice(0, 4)],
            covariance: range(0, 4).map((a) => [...from("covariance", 16, head).slice(4 * a, 4 * a + 4)]),
          }),
        })(view).flat();
        const { data } = await scoreOf({ statistics }).evaluate({ ...view, layer, queryMoments: null });
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs(value - (data[i] ?? Number.NaN)) < 1e-4 * Math.max(1, value));
      }
    }, 15));
});

test("statistics of another shape, and what is none, are refused; records name them", async () => {
  const statistics = measured(7);
  await onViews(async (view) => {
    if (view.queries.dims[0] === 7) return;
    const fault = await faultOf(() => scoreOf({ statistics }).evaluate(view));
    assert.deepEqual([fault.code, fault.path], ["wrong_shape", ["query-statistics", "mean"]]);
    const beyond = { ...view, layer: 2 };
    assert.equal(
      (await faultOf(() => scoreOf({ statistics: measured(view.queries.dims[0] ?? 0) }).evaluate(beyond))).code,
      "wrong_shape",
    );
  }, 5);
  const method = expectedAttention({ budget: 10, statistics });
  assert.equal(method.options.statistics, "query-statistics of a test");
  assert.deepEqual([method.needs.moments, method.namesHeads], [false, true]);
  const wrong = { ...statistics, kind: "filters" };
  const fault = await faultOf(() => expectedAttention({ budget: 10, statistics: wrong as never }));
  assert.match(fault.message, /must be a measurement, as loadQueryStatistics gives it/);
});

test("a prompt of sinks alone expects nothing in particular", () =>
  onViews(async (view) => {
    const heads = view.queries.dims[0] ?? 0;
    const queryMoments = { count: 0, sums: new Float64Array(4 * heads), products: new Float64Array(16 * heads) };
    const { data } = await scoreOf({ valueNorm: false }).evaluate({ ...view, queryMoments });
    const equal = 1 / (view.candidates.to - view.candidates.from);
    assert.ok(data.every((share) => Math.abs(share - equal) < 1e-6));
  }, 5));
