import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { random } from "../../src/index.ts";
import { normalAt, uniformAt } from "../../src/scoring/draw.ts";
import { randomDraws } from "../../src/scoring/random-draws.ts";
import { faultOf } from "../support/fault.ts";
import { range } from "../support/numbers.ts";
import { agrees, onViews, positionsOf } from "../support/score-views.ts";

describe("random draws", () => {
  test("are of the seed, the layer, the head and the position, and of nothing else", () =>
    agrees(randomDraws(7), (view) =>
      range(0, view.kvHeads).map((head) =>
        positionsOf(view, head)
          .slice(view.candidates.from, view.candidates.to)
          .map((position) => uniformAt(7, view.layer, head, position)),
      ),
    ));

  test("differ where any of these does, large seeds and negative ones too", () =>
    onViews(async (view) => {
      const { data } = await randomDraws(1).evaluate(view);
      for (const other of [randomDraws(2), randomDraws(1 + 2 ** 32), randomDraws(-1)])
        assert.notDeepEqual((await other.evaluate(view)).data, data);
      assert.notDeepEqual((await randomDraws(1).evaluate({ ...view, layer: view.layer + 1 })).data, data);
    }, 10));

  test("of a seed are the same for good", () => {
    const drawn = [uniformAt(0, 0, 0, 0), uniformAt(1, 2, 3, 4), uniformAt(-5), uniformAt(2 ** 40, 1)];
    assert.deepEqual(drawn, [0.21354909264482558, 0.08091702847741544, 0.13653101073578, 0.5657744430936873]);
  });

  test("are spread evenly, whichever coordinate runs", () => {
    for (const at of [(i: number) => [i, 0, 0], (i: number) => [0, i, 0], (i: number) => [0, 0, i]]) {
      const draws = range(0, 20_000).map((i) => uniformAt(...at(i)));
      for (const tenth of range(0, 10)) {
        const count = draws.filter((draw) => Math.floor(draw * 10) === tenth).length;
        assert.ok(Math.abs(count - 2000) < 200, `${count} in tenth ${tenth}`); // 4.7 standard deviations
      }
      const together = draws.reduce((sum, draw, i) => sum + (draw - 0.5) * ((draws[i + 1] ?? 0.5) - 0.5), 0);
      assert.ok(Math.abs((together / draws.length) * 12) < 0.04, "neighbours are correlated"); // 5.7
    }
  });

  test("of normal numbers have mean 0, variance 1 and the normal's share within 1", () => {
    const draws = range(0, 20_000).map((i) => normalAt(3, i));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + draw * draw, 0) / draws.length;
    const within = draws.filter((draw) => Math.abs(draw) < 1).length / draws.length;
    assert.ok(Math.abs(mean) < 0.04 && Math.abs(variance - 1) < 0.05 && Math.abs(within - 0.6827) < 0.02);
  });

  test("are recorded by their seed, which must be a whole number", async () => {
    assert.deepEqual(random({ budget: 4, seed: 9 }).options, { budget: 4, seed: 9 });
    for (const seed of [0.5, Number.NaN, 2 ** 60])
      assert.deepEqual((await faultOf(() => random({ budget: 4, seed }))).path, ["random", "seed"]);
  });
});
