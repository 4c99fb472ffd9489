/** readAhead's score against its formula in plain loops, on both kernels; and its parts against their sentences. */

import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { onnxKernels, referenceKernels } from "../../kernels/index.ts";
import { readAhead, readOn } from "../../src/index.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf, matrices, prompts } from "../support/arbitraries.ts";
import { maxDifference } from "../support/golden.ts";
import { holds } from "../support/seed.ts";

const cpu = onnxKernels({ threads: 2 });

const shape = { seed: 4, layers: 1, kvHeads: 2, group: 2, length: 30, budget: 12 };
const [layer = assert.fail()] = await layersOf(shape, referenceKernels());
const some: LayerView<Tensor> = { ...layer, candidates: { from: 0, to: 30 } };

/** [KH][candidates] */
function plain(view: LayerView<Tensor>, { window: q = 8, fade = 0.85 } = {}): number[] {
  const { kvHeads, length: n, slidingWindow, candidates } = view;
  const [heads = 0, observed = 0, d = 0] = view.queries.dims;
  const key = (head: number, j: number) => [...view.keys.data.subarray((head * n + j) * d, (head * n + j + 1) * d)];
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
  const all: number[] = [];
  for (let head = 0; head < kvHeads; head++) {
    const keys = Array.from({ length: n }, (_, j) => key(head, j));
    const peak = new Array<number>(n).fill(0);
    for (let h = (head * heads) / kvHeads; h < ((head + 1) * heads) / kvHeads; h++)
      for (let i = n - q; i < n; i++) {
        const row = h * observed + i - n + observed;
        const query = [...view.queries.data.subarray(row * d, (row + 1) * d)];
        const sees = (j: number) => j <= i && (slidingWindow === null || j > i - slidingWindow);
        const mass = keys.map((own, j) => (sees(j) ? Math.exp(dot(query, own) / Math.sqrt(d)) : 0));
        const total = mass.reduce((a, b) => a + b, 0);
        for (const [j, m] of mass.entries()) peak[j] = Math.max(peak[j] ?? 0, m / total);
      }
    for (let j = candidates.from; j < candidates.to; j++) {
      let reached = 0;
      for (let i = candidates.from; i <= j; i++) reached = Math.max(reached, (peak[i] ?? 0) * fade ** (j - i));
      all.push(reached);
    }
  }
  return all;
}

test("readAhead's scores are its formula", () =>
  holds(
    fc.tuple(prompts(24), fc.constantFrom(0, 0.5, 0.8), fc.constantFrom(1, 8)),
    async ([shape, fade, window]) => {
      const [from, to] = [2, shape.length - window];
      for (const kernels of [referenceKernels(), cpu])
        for (const layer of await layersOf(shape, kernels)) {
          const view = { ...layer, candidates: { from, to } };
          const { score } = readAhead({ budget: 64, fade, window });
          const { data } = (await score?.evaluate(view)) ?? assert.fail();
          assert.ok(maxDifference(data, plain(view, { fade, window })) < 1e-5);
        }
    },
    15,
  ));

describe("reading on", () => {
  const view = (rows: number, positions: readonly (readonly number[])[]): LayerView<Tensor> => {
    const length = positions[0]?.length ?? 0;
    const all = Int32Array.from(positions.flat());
    return { ...some, kvHeads: rows, length, positions: all, candidates: { from: 0, to: length } };
  };

  test("gives each candidate the highest score that reaches it, faded by distance in the text and not in the cache", () =>
    holds(
      fc.tuple(matrices, fc.double({ min: 0, max: 0.99, noNaN: true }), fc.nat(5)),
      async ([{ scores }, fade, gap]) => {
        const [rows = 0, columns = 0] = scores.dims;
        const positions = Array.from({ length: rows }, (_, r) =>
          Array.from({ length: columns }, (_, i) => i + (i > columns / 2 ? gap * (r + 1) : 0)),
        );
        const { data } = await readOn(fade)(scores, view(rows, positions));
        for (let r = 0; r < rows; r++)
          for (let j = 0; j < columns; j++) {
            const apart = (i: number) => (positions[r]?.[j] ?? 0) - (positions[r]?.[i] ?? 0);
            const reaching = Array.from(
              { length: j + 1 },
              (_, i) => (scores.data[r * columns + i] ?? 0) * fade ** apart(i),
            );
            assert.ok(Math.abs((data[r * columns + j] ?? Number.NaN) - Math.max(...reaching)) < 1e-5);
          }
      },
    ));

  test("fades less than nothing or not at all in vain", () => {
    for (const fade of [-0.1, 1, Number.NaN])
      assert.throws(() => readOn(fade), { code: "invalid_option", path: ["readOn", "fade"] });
    assert.throws(() => readAhead({ budget: 64, fade: 1 }), { code: "invalid_option", path: ["readahead", "fade"] });
  });
});
