import { test } from "bun:test";
import assert from "node:assert/strict";
import { scissorhands } from "../../src/index.ts";
import { range } from "../support/numbers.ts";
import { attention, best, groupMean, keeps, seenBy } from "../support/plain-scores.ts";

for (const history of [1, 7, 500])
  test(`Scissorhands keeps what most of the last ${history} queries attend to more than to the average token`, () =>
    keeps(
      5,
      (budget) => scissorhands({ budget, recent: 4, history }),
      ({ method, layers, candidates, kept }) => {
        for (const [l, layer] of layers.entries()) {
          const n = layer.length;
          const scores = groupMean(layer, (h) => {
            const rows = range(Math.max(0, n - history), n).map((i) =>
              attention(layer, h, i).map((a) => a >= 1 / seenBy(layer, i)),
            );
            return range(0, n).map((j) => rows.filter((row) => row[j]).length);
          });
          assert.deepEqual(
            kept[l],
            scores.map((row) => best(row, candidates, method.budget - 4)),
          );
        }
      },
    ));
