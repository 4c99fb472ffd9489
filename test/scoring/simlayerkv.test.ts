import { test } from "bun:test";
import assert from "node:assert/strict";
import { simLayerKV } from "../../src/index.ts";
import { range, sum } from "../support/numbers.ts";
import { attention, best, groupMean, keeps, queryHeads } from "../support/plain-scores.ts";

const [SINKS, RECENT, QUERIES] = [2, 5, 2];

for (const threshold of [0, 0.35, 0.6, 1])
  test(`SimLayerKV leaves layers with more than ${threshold} of their attention on the ends just those; the others share the rest`, () =>
    keeps(
      SINKS + RECENT + 1,
      (budget) => simLayerKV({ budget, sinks: SINKS, recent: RECENT, queries: QUERIES, threshold }),
      ({ method, layers, candidates, kept }) => {
        const n = candidates.length + SINKS + RECENT;
        const toEnds = layers.map((layer) => {
          const shares = range(0, queryHeads(layer)).flatMap((h) =>
            range(n - QUERIES, n).map((i) =>
              sum(attention(layer, h, i).filter((_, j) => j < SINKS || j >= n - RECENT)),
            ),
          );
          return sum(shares) / shares.length;
        });
        const busy = [...layers.keys()].filter((l) => (toEnds[l] ?? 0) <= threshold);
        const total = (method.budget - SINKS - RECENT) * layers.length;
        const counts = layers.map((_, l) => (kept[l] ?? []).map(({ length }) => length));
        assert.equal(sum(counts.map(([count = -1]) => count)), total);
        for (const [l, heads] of counts.entries()) {
          const share = busy.includes(l) ? Math.min(candidates.length, total / busy.length) : 0;
          // What busy layers have no room for is left to the lazy ones.
          const left = busy.length === 0 || total > busy.length * candidates.length;
          if (busy.includes(l) || !left) for (const count of heads) assert.ok(Math.abs(count - share) < 1);
          const scores = groupMean(layers[l] ?? assert.fail(), (h) => {
            const rows = range(n - RECENT, n).map((i) => attention(layers[l] ?? assert.fail(), h, i));
            const sums = range(0, n - RECENT).map((j) => sum(rows.map((row) => row[j] ?? 0)));
            return range(0, n).map((j) => sums[j] ?? 0);
          });
          const pooled = scores.map((row) =>
            row.map((_, j) => Math.max(...row.slice(Math.max(SINKS, j - 3), Math.min(n - RECENT, j + 4)))),
          );
          assert.deepEqual(
            kept[l],
            pooled.map((row, head) => best(row, candidates, heads[head] ?? 0)),
          );
        }
      },
    ));
