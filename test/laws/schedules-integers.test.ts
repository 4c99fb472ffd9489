/** How shares become integers with an exact total. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { roundToTotal } from "../../src/allocation/round.ts";
import { shareOut, withFloor } from "../../src/allocation/share-out.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const RUNS = 500;

describe("largest-remainder rounding", () => {
  const shares = fc.record({
    weights: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
    fill: fc.double({ min: 0, max: 1, noNaN: true }),
    limit: fc.integer({ min: 0, max: 50 }),
  });

  test("reaches its total within the limits, whatever the shares", () =>
    holds(
      shares,
      ({ weights, fill, limit }) => {
        const total = Math.floor(fill * limit * weights.length);
        const scale = total / Math.max(1e-9, sum(weights));
        const counts = roundToTotal(
          weights.map((w) => w * scale),
          total,
          limit,
        );
        assert.equal(sum(counts), total);
        assert.ok(counts.every((n) => Number.isInteger(n) && n >= 0 && n <= limit));
      },
      RUNS,
    ));

  test("gives what is left to the largest remainder, of equals to the lower index", () => {
    assert.deepEqual(roundToTotal([1.2, 1.7, 1.1], 4, 9), [1, 2, 1]);
    assert.deepEqual(roundToTotal([1.5, 1.5, 1.5, 1.5], 6, 9), [2, 2, 1, 1]);
  });
});

describe("sharing out", () => {
  const cases = fc.record({
    // The largest and the smallest numbers, zeros and equals among them.
    weights: fc.array(fc.oneof(fc.constantFrom(0, 1, 1e-300, 1e150), fc.double({ min: 0, max: 9, noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    }),
    fill: fc.double({ min: 0, max: 1, noNaN: true }),
    limit: fc.integer({ min: 0, max: 50 }),
  });

  test("spends its total within the limits, whatever the weights", () =>
    holds(
      cases,
      ({ weights, fill, limit }) => {
        const total = Math.floor(fill * limit * weights.length);
        const counts = shareOut(weights, total, limit);
        assert.equal(sum(counts), total);
        assert.ok(counts.every((n) => Number.isInteger(n) && n >= 0 && n <= limit));
      },
      RUNS,
    ));

  test("is proportional among those that are not full, up to rounding, and never gives the lighter more", () =>
    holds(
      cases,
      ({ weights, fill, limit }) => {
        const total = Math.floor(fill * limit * weights.length);
        const counts = shareOut(weights, total, limit);
        const open = [...counts.keys()].filter((i) => (counts[i] ?? 0) < limit && (weights[i] ?? 0) > 0);
        const [all, mass] = [sum(open.map((i) => counts[i] ?? 0)), sum(open.map((i) => weights[i] ?? 0))];
        for (const i of open) {
          const fair = (all * (weights[i] ?? 0)) / mass;
          assert.ok(Math.abs((counts[i] ?? 0) - fair) < 2, `${counts} of ${weights}`);
        }
        const order = [...weights.keys()].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
        order.forEach((i, at) => {
          const lighter = order[at + 1];
          if (lighter !== undefined && weights[i] !== weights[lighter])
            assert.ok((counts[i] ?? 0) >= (counts[lighter] ?? 0) - 1);
        });
      },
      RUNS,
    ));

  test("passes on what does not fit to the others by their weights, then to those of weight 0", () => {
    assert.deepEqual(shareOut([8, 1, 1], 30, 20), [20, 5, 5]);
    assert.deepEqual(shareOut([6, 3, 1], 35, 20), [20, 11, 4]);
    assert.deepEqual(shareOut([1, 0, 0], 30, 20), [20, 5, 5]);
    assert.deepEqual(shareOut([0, 0, 0], 7, 20), [3, 2, 2]);
  });

  test("with a floor gives all a part alike", () => {
    assert.deepEqual(withFloor([3, 1], 0.5), [0.625, 0.375]);
    assert.deepEqual(withFloor([0, 0], 0), [0, 0]);
  });
});
