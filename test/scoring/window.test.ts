/** Scores of the window's attention against restatements of their formulas. */

import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { onnxKernels, referenceKernels } from "../../kernels/index.ts";
import { attentionStability, recency, recentAttention, type Score } from "../../src/scoring/index.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf, prompts } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { mean, sum, variance } from "../support/numbers.ts";
import { plainAttention } from "../support/plain-attention.ts";
import { holds } from "../support/seed.ts";

const windows = fc.integer({ min: 2, max: 6 });
const shapes = prompts(8).filter(({ length }) => length > 8);

/** That a score is, for every query head and candidate, this function of its attention from the window's queries, oldest first. */
async function assertScore(
  score: Score,
  layer: LayerObservation<Tensor>,
  window: number,
  of: (attention: readonly number[]) => number,
) {
  const candidates = { from: 1, to: layer.length - window };
  const { data, dims } = await score.evaluate({ ...layer, candidates });
  const attention = plainAttention(layer, window);
  const columns = candidates.to - candidates.from;
  assert.deepEqual(dims, [attention.length, columns]);
  for (const [h, rows] of attention.entries())
    for (let j = 0; j < columns; j++) {
      const expected = of(rows.map((row) => row[candidates.from + j] ?? Number.NaN));
      const found = data[h * columns + j] ?? Number.NaN;
      assert.ok(Math.abs(found - expected) < 1e-4 * (1 + Math.abs(expected)), `${found}, not ${expected}`);
    }
}

for (const [backend, kernels] of Object.entries({ reference: referenceKernels(), onnx: onnxKernels({ threads: 1 }) })) {
  describe(`on ${backend} kernels`, () => {
    test("CAKE's score is the mean and gamma times the variance over the window's queries", () =>
      holds(
        fc.tuple(shapes, windows, fc.constantFrom(0, 1, 200)),
        async ([shape, window, gamma]) => {
          for (const layer of await layersOf(shape, kernels))
            await assertScore(attentionStability({ window, gamma }), layer, window, (attention) => {
              return mean(attention) + gamma * variance(attention);
            });
        },
        25,
      ));

    test("PyramidInfer's score is the mean in which later queries weigh more, evenly", () =>
      holds(
        fc.tuple(shapes, windows, fc.constantFrom(0.5, 1.2, 3)),
        async ([shape, window, weight]) => {
          for (const layer of await layersOf(shape, kernels))
            await assertScore(recentAttention({ window, weight }), layer, window, (attention) => {
              const weighed = attention.map((mass, i) => mass * (1 + ((weight - 1) * i) / (window - 1)));
              return sum(weighed) / window;
            });
        },
        25,
      ));
  });
}

test("a window of one query weighs it as it is", async () => {
  const shape = { seed: 4, layers: 1, kvHeads: 2, group: 2, length: 20, budget: 8 };
  for (const layer of await layersOf(shape, referenceKernels()))
    await assertScore(recentAttention({ window: 1 }), layer, 1, ([mass = Number.NaN]) => mass);
});

test("recency is the position in the prompt, of entries that were elsewhere too", async () => {
  const shape = { seed: 4, layers: 1, kvHeads: 2, group: 1, length: 4, budget: 2 };
  const [layer = assert.fail()] = await layersOf(shape, referenceKernels());
  const view = { ...layer, positions: Int32Array.of(0, 5, 6, 9, 1, 2, 3, 9), candidates: { from: 1, to: 3 } };
  assert.deepEqual(await recency().evaluate(view), { data: Float32Array.of(5, 6, 2, 3), dims: [2, 2] });
});

test("options out of range are errors", async () => {
  const wrong = [
    () => attentionStability({ window: 1 }),
    () => attentionStability({ window: 8, gamma: -1 }),
    () => recentAttention({ window: 0 }),
    () => recentAttention({ window: 8, weight: 0 }),
  ];
  for (const make of wrong) assert.equal((await faultOf(make)).code, "invalid_option");
});
