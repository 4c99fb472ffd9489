import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { referenceKernels } from "../../kernels/index.ts";
import { lagKV, select } from "../../src/index.ts";
import { lagRelative } from "../../src/scoring/lag-relative.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf } from "../support/arbitraries.ts";
import { range, sum, type Vector } from "../support/numbers.ts";
import { onViews, vectors } from "../support/score-views.ts";

/** @param slack more than that must shares differ to be told apart: where spreads are large, softmax gives almost equal ones */
const formula =
  (lag: number, slack: number) =>
  (view: LayerView<Tensor>): number[][] => {
    const { from, to } = view.candidates;
    const partitions = Math.floor((to - from) / lag);
    return range(0, view.kvHeads).map((head) => {
      const shares = [vectors(view.keys, head), vectors(view.values, head)].map((all) => (p: number) => {
        const own = all.slice(from + p * lag, from + (p + 1) * lag);
        const next = all.slice(from + (p + 1) * lag, from + (p + 2) * lag);
        const spreads = own.map((vector) => {
          const scaled = vector.map((x, c) => {
            const channel = next.map((reference) => reference[c] ?? Number.NaN);
            const unit = Math.max(...channel) - Math.min(...channel);
            return unit > 0 ? (x - Math.min(...channel)) / unit : 0;
          });
          const mean = sum(scaled) / scaled.length;
          return Math.sqrt(sum(scaled.map((x) => (x - mean) ** 2)) / (scaled.length - 1));
        });
        const parts = spreads.map((spread) => Math.exp(spread - Math.max(...spreads)));
        return parts.map((part) => part / sum(parts));
      });
      return range(0, to - from).map((j) => {
        const p = Math.floor(j / lag);
        if (p >= partitions - 1) return 1 + j / (to - from);
        const together: Vector = range(0, lag).map((i) => sum(shares.map((of) => of(p)[i] ?? Number.NaN)));
        return (
          together.filter((other, i) => i !== j % lag && other < (together[j % lag] ?? Number.NaN) + slack).length / lag
        );
      });
    });
  };

async function assertFormula(lag: number, view: LayerView<Tensor>) {
  const { data, dims } = await lagRelative(lag).evaluate(view);
  assert.deepEqual(dims, [view.kvHeads, view.candidates.to - view.candidates.from]);
  const [low, high] = [formula(lag, -1e-9)(view).flat(), formula(lag, 1e-9)(view).flat()];
  for (const [i, score] of data.entries())
    assert.ok(score > (low[i] ?? Number.NaN) - 1e-6 && score < (high[i] ?? Number.NaN) + 1e-6, `${i}: ${score}`);
}

describe("lag-relative scores", () => {
  for (const lag of [2, 3, 7])
    test(`are their formula, partitions of ${lag}`, () => onViews((view) => assertFormula(lag, view)));

  test("leave out a channel that is constant in the next partition", () =>
    onViews((view) => {
      const constant = ({ data, dims }: LayerView<Tensor>["keys"]) => ({
        data: data.map((x, i) => (i % 4 === 1 ? 5 : x)),
        dims,
      });
      return assertFormula(3, { ...view, keys: constant(view.keys), values: constant(view.values) });
    }, 10));

  test("take the same share of every partition that is judged, and all of the tail", async () => {
    const shape = { seed: 3, layers: 1, kvHeads: 2, group: 1, length: 16 + 80, budget: 16 + 40 };
    const layers = await layersOf(shape, referenceKernels());
    for (const kept of (await select(lagKV({ budget: shape.budget, lag: 10 }), layers)).flat()) {
      const ofPartition = range(0, 8).map((p) => [...kept].filter((at) => Math.floor((at - 16) / 10) === p).length);
      assert.equal(ofPartition[7], 10);
      for (const count of ofPartition.slice(0, 7)) assert.ok(count === 4 || count === 5, ofPartition.join(" "));
    }
  });

  test("leave the last tokens where the tail alone is more than the budget", async () => {
    const shape = { seed: 3, layers: 1, kvHeads: 2, group: 1, length: 60, budget: 20 };
    for (const kept of (
      await select(lagKV({ budget: 20, sinks: 4, lag: 30 }), await layersOf(shape, referenceKernels()))
    ).flat())
      assert.deepEqual([...kept], [...range(0, 4), ...range(44, 60)]);
  });

  test("come in partitions of a quarter of the budget at most", () => {
    const evaluated = (budget: number) => lagKV({ budget }).score;
    for (const budget of [17, 64, 10_000]) assert.ok(evaluated(budget) !== null);
    assert.throws(() => lagKV({ budget: 64, lag: 1 }), { code: "invalid_option", path: ["lagkv", "lag"] });
  });
});
