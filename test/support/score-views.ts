/** Random layers as scores see them, with any candidates and any positions, and formulas to hold scores against: plain loops in fp64. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Kernels, onnxKernels, referenceKernels } from "../../kernels/index.ts";
import type { LayerView, Score } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf } from "./arbitraries.ts";
import { dot, range, sum, type Vector } from "./numbers.ts";
import { holds } from "./seed.ts";

const backends: readonly Kernels[] = [referenceKernels(), onnxKernels({ threads: 1 })];

const views = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  first: fc.integer({ min: 0, max: 5 }),
  last: fc.integer({ min: 0, max: 4 }),
  count: fc.integer({ min: 2, max: 60 }),
  gap: fc.integer({ min: 1, max: 3 }),
});

/** A score against a formula, on both kernels: [KH][candidate] numbers, within `tolerance` of their size. */
export function agrees(score: Score, formula: (view: LayerView<Tensor>) => number[][], tolerance = 1e-4, runs = 40) {
  return onViews(async (view) => {
    const { data, dims } = await score.evaluate(view);
    const expected = formula(view);
    assert.deepEqual(dims, [expected.length, expected[0]?.length]);
    for (const [i, value] of expected.flat().entries()) {
      const difference = Math.abs(value - (data[i] ?? Number.NaN));
      assert.ok(difference <= tolerance * Math.max(1, Math.abs(value)), `${i}: ${data[i]} rather than ${value}`);
    }
  }, runs);
}

/** Calls `check` on random views with either kernels. Positions leave gaps, as where entries went before. */
export function onViews(check: (view: LayerView<Tensor>) => void | Promise<void>, runs = 40) {
  return holds(
    views,
    async ({ first, last, count, gap, ...shape }) => {
      const length = first + count + last;
      for (const kernels of backends) {
        const [layer = assert.fail()] = await layersOf({ ...shape, layers: 1, length, budget: 1 }, kernels);
        const positions = layer.positions.map((at, i) => gap * at + Math.floor(i / length));
        await check({ ...layer, positions, candidates: { from: first, to: length - last } });
      }
    },
    runs,
  );
}

/** One head's vectors by index. */
export const vectors = ({ data, dims: [, length = 0, size = 0] }: LayerView<Tensor>["keys"], head: number): Vector[] =>
  Array.from({ length }, (_, j) => [...data.slice((head * length + j) * size, (head * length + j + 1) * size)]);

/** One head's positions by index. */
export const positionsOf = ({ positions, length }: LayerView<Tensor>, head: number): number[] => [
  ...positions.slice(head * length, (head + 1) * length),
];

/** The matrix that RoPE turns by at a position: [d][d]. */
export function ropeMatrix(frequencies: ArrayLike<number>, position: number): number[][] {
  const half = frequencies.length;
  return range(0, 2 * half).map((row) =>
    range(0, 2 * half).map((column) => {
      if (row % half !== column % half) return 0;
      const angle = position * (frequencies[row % half] ?? 0);
      return row === column ? Math.cos(angle) : row < half ? -Math.sin(angle) : Math.sin(angle);
    }),
  );
}

export const transpose = (m: readonly Vector[]): number[][] =>
  (m[0] ?? []).map((_, column) => m.map((row) => row[column] ?? Number.NaN));
export const times = (m: readonly Vector[], v: Vector): number[] => m.map((row) => dot(row, v));
export const timesMatrix = (a: readonly Vector[], b: readonly Vector[]): number[][] =>
  a.map((row) => transpose(b).map((column) => dot(row, column)));

/** The solution of m x = v, by Gaussian elimination with pivots. */
export function solved(m: readonly Vector[], v: Vector): number[] {
  const rows = m.map((row, i) => [...row, v[i] ?? Number.NaN]);
  for (const c of range(0, rows.length)) {
    const pivot = range(c, rows.length).reduce((best, r) =>
      Math.abs(rows[r]?.[c] ?? 0) > Math.abs(rows[best]?.[c] ?? 0) ? r : best,
    );
    [rows[c], rows[pivot]] = [rows[pivot] ?? [], rows[c] ?? []];
    const own = rows[c] ?? [];
    for (const [r, row] of rows.entries()) {
      const factor = r === c ? 0 : (row[c] ?? 0) / (own[c] ?? 0);
      rows[r] = row.map((x, i) => x - factor * (own[i] ?? 0));
    }
  }
  return rows.map((row, i) => (row.at(-1) ?? 0) / (row[i] ?? 0));
}

/** Scores less their mean, divided by their standard deviation, over all heads together. */
export function standardised(scores: readonly Vector[]): number[][] {
  const all = scores.flat();
  const mean = sum(all) / all.length;
  const deviation = Math.sqrt(sum(all.map((x) => (x - mean) ** 2)) / (all.length - 1));
  return scores.map((row) => row.map((x) => (x - mean) / deviation));
}
