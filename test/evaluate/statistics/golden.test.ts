/** Intervals and p values are those of SciPy and statsmodels (test/golden/statistics.py). */
import { describe, expect, test } from "bun:test";
import { bootstrap } from "../../../src/evaluate/statistics/bootstrap.ts";
import { interval, wilson } from "../../../src/evaluate/statistics/interval.ts";
import { signFlip } from "../../../src/evaluate/statistics/sign-flip.ts";
import golden from "../../fixtures/statistics.json";

test.each(golden.wilson)(
  "Wilson's interval of $hits of $count at $confidence",
  ({ hits, count, confidence, low, high }) => {
    const found = wilson(hits, count, confidence);
    expect(found.low).toBeCloseTo(low, 12);
    expect(found.high).toBeCloseTo(high, 12);
    const values = Array.from({ length: count }, (_, i) => Number(i < hits));
    const resampling = { confidence, resamples: 100, seed: 0 };
    expect(interval(values, [0, 1], resampling).low).toBeCloseTo(low, 12);
    expect(interval(values, [0, 1], resampling).high).toBeCloseTo(high, 12);
  },
);

// Both draw at random, 200,000 and 50,000 times: the bounds' own error is below 0.003.
test.each(golden.bca)(
  "the bootstrap's interval of a mean of $mean at $confidence",
  ({ values, confidence, low, high }) => {
    const found = bootstrap(values, { confidence, resamples: 50_000, seed: 1 });
    expect(Math.abs(found.low - low)).toBeLessThan(0.003);
    expect(Math.abs(found.high - high)).toBeLessThan(0.003);
  },
);

describe("the sign-flip test", () => {
  test("of what no flip reaches gives what its number of flips can say, and not 0", () => {
    const clear = Array.from({ length: 40 }, () => 1);
    expect(signFlip(clear, { resamples: 999, seed: 0 })).toBe(1 / 1000);
    expect(signFlip([], { resamples: 999, seed: 0 })).toBe(1);
  });

  test.each(golden.signFlip)("of $differences gives p = $p", ({ differences, p }) => {
    const isExact = differences.filter((it) => it !== 0).length <= 16;
    const found = signFlip(differences, { resamples: 100_000, seed: 1 });
    if (isExact) expect(found).toBeCloseTo(p, 12);
    else expect(Math.abs(found - p)).toBeLessThan(0.004);
  });
});
