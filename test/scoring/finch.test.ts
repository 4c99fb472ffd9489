import { test } from "bun:test";
import assert from "node:assert/strict";
import { finch } from "../../src/index.ts";
import { range, sum } from "../support/numbers.ts";
import { attention, best, groupMean, keeps, seenBy } from "../support/plain-scores.ts";

test("FINCH keeps what the question's tokens attend to, each times how many tokens it sees", () =>
  keeps(
    6,
    (budget) => finch({ budget, question: 5 }),
    ({ method, layers, candidates, kept }) => {
      for (const [l, layer] of layers.entries()) {
        const n = layer.length;
        const scores = groupMean(layer, (h) => {
          const rows = range(n - 5, n).map((i) => attention(layer, h, i).map((a) => a * seenBy(layer, i)));
          return range(0, n).map((j) => sum(rows.map((row) => row[j] ?? 0)) / 5);
        });
        assert.deepEqual(
          kept[l],
          scores.map((row) => best(row, candidates, method.budget - 5)),
        );
      }
    },
  ));
