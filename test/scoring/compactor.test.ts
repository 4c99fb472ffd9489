/** Leverage, attention of neighbours, and what Compactor makes of both, against plain loops. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { asPublished, compactor, leverageScore, nonCausalAttention } from "../../src/index.ts";
import { keyLeverage } from "../../src/scoring/key-leverage.ts";
import type { Score } from "../../src/scoring/score.ts";
import { sum } from "../support/numbers.ts";
import { agrees, onViews, standardised } from "../support/score-views.ts";
import { leverage, neighbours } from "./restated.ts";

const scoreOf = ({ score }: { readonly score: Score | null }): Score => score ?? assert.fail();

describe("leverage is its formula", () => {
  for (const sketch of [1, 3, 4, 48])
    test(`with keys of 4 channels shortened to ${sketch}`, () =>
      agrees(keyLeverage({ sketch, seed: 5 }), (view) => leverage(view, { sketch, seed: 5 }), 1e-3));

  test("and standardised over a layer", () =>
    agrees(
      scoreOf(leverageScore({ budget: 9, seed: 2 })),
      (view) => standardised(leverage(view, { sketch: 48, seed: 2 })),
      1e-2,
    ));

  test("of keys in few directions it is theirs", () =>
    onViews(async (view) => {
      const flat = { data: view.keys.data.map((x, i) => (i % 4 < 2 ? x : 0)), dims: view.keys.dims };
      const still = { ...view, keys: flat, positions: view.positions.map(() => 0) };
      const { data } = await keyLeverage({ sketch: 48, seed: 0 }).evaluate(still);
      const expected = leverage(still, { sketch: 48, seed: 0 }).flat();
      for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - (data[i] ?? Number.NaN)) < 1e-3);
      assert.ok(sum([...data]) <= 2 * view.kvHeads + 1e-3);
    }, 15));
});

describe("attention of neighbours is its formula", () => {
  for (const chunk of [1, 7, 256])
    test(`in chunks of ${chunk}`, () =>
      agrees(scoreOf(nonCausalAttention({ budget: 9, chunk })), (view) => standardised(neighbours(view, chunk)), 1e-3));

  test("and with the last chunk filled, as published", () =>
    agrees(
      scoreOf(asPublished.kvpress.nonCausalAttention({ budget: 9, chunk: 16 })),
      (view) => standardised(neighbours(view, 16, true)),
      1e-3,
    ));
});

describe("Compactor", () => {
  const blend =
    (weight: (length: number) => number, padded = false) =>
    (view: Parameters<typeof leverage>[0]) => {
      const [outliers, attended] = [
        standardised(leverage(view, { sketch: 48, seed: 0 })),
        standardised(neighbours(view, 16, padded)),
      ];
      return outliers.map((row, h) => row.map((x, j) => weight(view.length) * x + (attended[h]?.[j] ?? Number.NaN)));
    };

  test("weighs leverage by the share that is evicted", () =>
    agrees(
      scoreOf(compactor({ budget: 20, chunk: 16 })),
      blend((length) => 1 - 20 / length),
      1e-2,
    ));

  test("or as it is told", () =>
    agrees(
      scoreOf(compactor({ budget: 20, chunk: 16, blending: 0.35 })),
      blend(() => 0.35),
      1e-2,
    ));

  test("as published fills the last chunk", () =>
    agrees(
      scoreOf(asPublished.kvpress.compactor({ budget: 20, chunk: 16 })),
      blend((length) => 1 - 20 / length, true),
      1e-2,
    ));

  test("records only what it was told", () => {
    assert.equal(compactor({ budget: 20, blending: 0.5 }).options.blending, 0.5);
    assert.ok(!("blending" in compactor({ budget: 20 }).options));
    assert.throws(() => compactor({ budget: 20, blending: 2 }), {
      code: "invalid_option",
      path: ["compactor", "blending"],
    });
    assert.throws(() => compactor({ budget: 12 }), { code: "budget_too_small" });
  });
});
