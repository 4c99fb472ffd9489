import { test } from "bun:test";
import assert from "node:assert/strict";
import { vatp } from "../../src/index.ts";
import { range, sum } from "../support/numbers.ts";
import { attention, best, groupMean, keeps, vector } from "../support/plain-scores.ts";

test("VATP keeps what has most of all attention times the sum of its value's sizes, beside sinks and window", () =>
  keeps(
    6,
    (budget) => vatp({ budget, sinks: 3, window: 2 }),
    ({ method, layers, candidates, kept }) => {
      for (const [l, layer] of layers.entries()) {
        const n = layer.length;
        const received = groupMean(layer, (h) => {
          const rows = range(0, n).map((i) => attention(layer, h, i));
          return range(0, n).map((j) => sum(rows.map((row) => row[j] ?? 0)));
        });
        const scores = received.map((row, head) =>
          row.map((a, j) => a * sum(vector(layer.values, head, j).map(Math.abs))),
        );
        assert.deepEqual(
          kept[l],
          scores.map((row) => best(row, candidates, method.budget - 5)),
        );
      }
    },
    8,
  ));
