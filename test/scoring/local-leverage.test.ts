import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { cur } from "../../src/index.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import { gaussianSketch } from "../../src/scoring/sketch.ts";
import type { Tensor } from "../../src/tensor.ts";
import { dot, range, sum, type Vector } from "../support/numbers.ts";
import { agrees, onViews, vectors } from "../support/score-views.ts";

const joins = {
  product: (key: number, value: number) => key * value,
  mean: (key: number, value: number) => (key + value) / 2,
  key: (key: number) => key,
  value: (_: number, value: number) => value,
} as const;

const formula =
  (of: keyof typeof joins, local: number, sketch = 0, seed = 0) =>
  (view: LayerView<Tensor>): number[][] =>
    range(0, view.kvHeads).map((head) => {
      const shares = [vectors(view.keys, head), vectors(view.values, head)].map((all) => {
        const squares = all.map((vector) => {
          const short = sketch === 0 ? vector : shortened(vector, sketch, seed);
          return dot(short, short);
        });
        return squares.map((square, j) => {
          const start = local === 0 ? 0 : local * Math.floor(j / local);
          return square / sum(squares.slice(start, local === 0 ? undefined : start + local));
        });
      });
      const scores = range(0, view.length).map((j) =>
        joins[of](shares[0]?.[j] ?? Number.NaN, shares[1]?.[j] ?? Number.NaN),
      );
      return scores.map((score) => score / sum(scores)).slice(view.candidates.from, view.candidates.to);
    });

const shortened = (vector: Vector, k: number, seed: number) => {
  const matrix = gaussianSketch(seed, vector.length, k);
  return range(0, k).map((c) => sum(vector.map((x, r) => x * (matrix[r * k + c] ?? Number.NaN))));
};

const scoreOf = (options: Omit<Parameters<typeof cur>[0], "budget">) =>
  cur({ budget: 99, ...options }).score ?? assert.fail();

describe("CUR's leverage is its formula", () => {
  for (const of of ["product", "mean", "key", "value"] as const)
    test(`of ${of}`, () => agrees(scoreOf({ of }), formula(of, 16), 1e-5));
  for (const local of [0, 1, 5])
    test(`among ${local} neighbours`, () => agrees(scoreOf({ local }), formula("product", local), 1e-5));
  test("of shortened keys and values", () =>
    agrees(scoreOf({ sketch: 3, seed: 4 }), formula("product", 16, 3, 4), 1e-5));

  test("and nothing where all neighbours are nothing, which takes nothing from the others", () =>
    onViews(async (view) => {
      const width = 4 * view.length;
      const { dims } = view.values;
      const values = { data: view.values.data.map((x, i) => (i % width < 8 ? 0 : x)), dims };
      const { data } = await scoreOf({ local: 2 }).evaluate({ ...view, values });
      const columns = view.candidates.to - view.candidates.from;
      for (const [i, score] of data.entries())
        assert.equal(score > 0, (i % columns) + view.candidates.from >= 2, `${i}: ${score}`);
    }, 10));

  test("with options that are checked", () => {
    const wrong = { budget: 64, of: "keys" } as never;
    assert.throws(() => cur(wrong), { code: "invalid_option", message: /one of "product", "mean", "key", "value"/ });
    assert.throws(() => cur({ budget: 64, local: -1 }), { code: "invalid_option", path: ["cur", "local"] });
  });
});

test("a sketch keeps squared lengths on average", () => {
  const vector = [1, -2, 0.5, 3];
  const squares = range(0, 400).map((seed) => dot(shortened(vector, 20, seed), shortened(vector, 20, seed)));
  assert.ok(Math.abs(sum(squares) / 400 / dot(vector, vector) - 1) < 0.08); // 5 standard errors
});
