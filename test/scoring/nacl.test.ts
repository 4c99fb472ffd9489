import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { referenceKernels } from "../../kernels/index.ts";
import { drawn, nacl } from "../../src/index.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf } from "../support/arbitraries.ts";
import { range, sum } from "../support/numbers.ts";
import { attention, best, groupMean, keeps } from "../support/plain-scores.ts";

test("NACL keeps what its proxies attend to most, and as many others as are to be drawn", () =>
  keeps(
    7,
    (budget) => nacl({ budget, proxies: 3, sinks: 2, random: 0.4, seed: budget }),
    ({ method, layers, candidates, kept }) => {
      const count = method.budget - 5;
      for (const [l, layer] of layers.entries()) {
        const scores = groupMean(layer, (h) => {
          const rows = range(layer.length - 3, layer.length).map((i) => attention(layer, h, i));
          return range(0, layer.length).map((j) => sum(rows.map((row) => row[j] ?? 0)));
        });
        for (const [head, row] of scores.entries()) {
          const own = kept[l]?.[head] ?? [];
          const proxied = best(row, candidates, Math.round(0.6 * count));
          assert.deepEqual(
            proxied.filter((j) => !own.includes(j)),
            [],
          );
          assert.equal(own.length, count);
        }
      }
    },
  ));

describe("draws", async () => {
  const shape = { seed: 1, layers: 2, kvHeads: 2, group: 1, length: 5, budget: 1 };
  const views = (await layersOf(shape, referenceKernels())).map(
    (layer): LayerView<Tensor> => ({ ...layer, candidates: { from: 0, to: 5 } }),
  );
  const scores = { data: Float32Array.of(0, 1, 2, 0.5, -1, 0, 0, 0, 0, 0), dims: [2, 5] };
  const order = async (seed: number, layer = 0) => {
    const { data } = await drawn(seed)(scores, views[layer] ?? assert.fail());
    return [0, 5].map((from) => range(0, 5).sort((a, b) => (data[from + b] ?? 0) - (data[from + a] ?? 0)));
  };
  const SEEDS = 8000;

  test("are as likely as softmax says, the second among those that the first left", async () => {
    const weights = [0, 1, 2, 0.5, -1].map(Math.exp);
    const all = sum(weights);
    const [first, second] = [Array(5).fill(0), Array(5).fill(0)];
    for (const seed of range(0, SEEDS)) {
      const [[a = 0, b = 0] = []] = await order(seed);
      first[a]++;
      second[b]++;
    }
    for (const [j, weight] of weights.entries()) {
      const asSecond = sum(weights.map((other, i) => (i === j ? 0 : ((other / all) * weight) / (all - other))));
      for (const [counts, share] of [
        [first, weight / all],
        [second, asSecond],
      ] as const) {
        const spread = Math.sqrt((share * (1 - share)) / SEEDS);
        assert.ok(Math.abs((counts[j] ?? 0) / SEEDS - share) < 4 * spread, `${j}: ${counts[j]} of ${SEEDS}, ${share}`);
      }
    }
  });

  test("are the same for a seed, and others for other seeds, layers and heads", async () => {
    assert.deepEqual(await order(7), await order(7));
    const even = async (seed: number, layer: number) => (await order(seed, layer))[1];
    const orders = new Set<string>();
    for (const seed of range(0, 20)) for (const layer of [0, 1]) orders.add(JSON.stringify(await even(seed, layer)));
    assert.ok(orders.size > 20, `${orders.size} of 40 orders of five`);
    const alike = { data: new Float32Array(10), dims: [2, 5] };
    const { data } = await drawn(3)(alike, views[0] ?? assert.fail());
    assert.notDeepEqual([...data.subarray(0, 5)], [...data.subarray(5)]);
  });

  test("stay with positions, wherever among the entries they are held", async () => {
    const view = views[0] ?? assert.fail();
    const even = { data: new Float32Array(10), dims: [2, 5] };
    const moved = { ...view, positions: view.positions.map((position) => position + 1) };
    const [here, there] = [await drawn(3)(even, view), await drawn(3)(even, moved)];
    assert.deepEqual([...here.data.subarray(1, 5)], [...there.data.subarray(0, 4)]);
  });
});
