/** The measures of a precision's error, by what must be true of them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Differences, klDivergence, percentile, rms } from "../../bench/precision/difference.ts";
import { holds } from "../support/seed.ts";

const logit = fc.float({ min: -30, max: 30, noNaN: true });
const logits = (size: number) =>
  fc.array(logit, { minLength: size, maxLength: size }).map((row) => Float32Array.from(row));
const pair = fc.integer({ min: 1, max: 20 }).chain((size) => fc.tuple(logits(size), logits(size)));
/** Exact in fp32, whatever is added to it below. */
const coarse = (row: Float32Array) => row.map((value) => Math.round(value * 8) / 8);
const shifted = (row: Float32Array, by: number) => row.map((value) => value + by);

describe("KL divergence", () => {
  test("is 0 of a distribution from itself, exactly", () =>
    holds(pair, ([a]) => expect(klDivergence(a, a.slice())).toBe(0)));

  test("is never negative", () => holds(pair, ([a, b]) => expect(klDivergence(a, b)).toBeGreaterThanOrEqual(0)));

  test("does not see a constant added to all logits of either", () =>
    holds(fc.tuple(pair, fc.integer({ min: -50, max: 50 })), ([[first, second], by]) => {
      const [a, b] = [coarse(first), coarse(second)];
      const kl = klDivergence(a, b);
      expect(klDivergence(shifted(a, by), b)).toBeCloseTo(kl, 9);
      expect(klDivergence(a, shifted(b, by))).toBeCloseTo(kl, 9);
    }));

  test("is what the textbook's sum gives", () =>
    holds(pair, ([a, b]) => {
      const softmax = (row: Float32Array) => {
        const weights = Array.from(row, Math.exp);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return weights.map((weight) => weight / total);
      };
      const q = softmax(b);
      const expected = softmax(a).reduce((sum, p, i) => sum + p * Math.log(p / (q[i] ?? 0)), 0);
      expect(klDivergence(a, b)).toBeCloseTo(expected, 9);
    }));

  test("of a coin from a biased one, in nats", () => {
    const row = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);
    expect(klDivergence(row(0.5, 0.5), row(0.25, 0.75))).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 6);
    expect(klDivergence(row(0.25, 0.75), row(0.5, 0.5))).toBeCloseTo(0.25 * Math.log(0.5) + 0.75 * Math.log(1.5), 6);
  });

  test("a token that only the other excludes makes it infinite, one that only the reference excludes does not", () => {
    const [all, some] = [Float32Array.of(1, 1), Float32Array.of(1, Number.NEGATIVE_INFINITY)];
    expect(klDivergence(all, some)).toBe(Number.POSITIVE_INFINITY);
    expect(klDivergence(some, all)).toBeCloseTo(Math.log(2), 12);
  });

  test("of logits that are no numbers is no number", () =>
    expect(klDivergence(Float32Array.of(0, 1), Float32Array.of(Number.NaN, 1))).toBeNaN());
});

describe("the root mean square", () => {
  test("of known differences", () => {
    expect(rms(Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 3, 4))).toBe(0);
    expect(rms(Float32Array.of(3, 0), Float32Array.of(0, 4))).toBeCloseTo(Math.sqrt(12.5), 12);
  });

  test("of a constant difference is that constant", () =>
    holds(fc.tuple(pair, fc.integer({ min: -50, max: 50 })), ([[a], by]) => {
      const row = coarse(a);
      expect(rms(row, shifted(row, by))).toBe(Math.abs(by));
    }));
});

test("a percentile is one of the numbers, and the share of those up to it is at least what was asked", () =>
  holds(
    fc.tuple(fc.array(fc.integer(), { minLength: 1, maxLength: 200 }), fc.double({ min: 0.01, max: 1, noNaN: true })),
    ([numbers, share]) => {
      const found = percentile(numbers, share);
      expect(numbers).toContain(found);
      expect(numbers.filter((number) => number <= found).length).toBeGreaterThanOrEqual(share * numbers.length - 1e-9);
      expect(numbers.filter((number) => number < found).length).toBeLessThan(share * numbers.length);
    },
  ));

describe("differences over positions", () => {
  test("count agreement, and do not depend on how positions are handed in", () =>
    holds(fc.array(fc.tuple(logits(5), logits(5)), { minLength: 1, maxLength: 12 }), (rows) => {
      const together = new Differences(5);
      together.add(
        Float32Array.from(rows.flatMap(([a]) => [...a])),
        Float32Array.from(rows.flatMap(([, b]) => [...b])),
      );
      const apart = new Differences(5);
      for (const [a, b] of rows) apart.add(a, b);
      expect(together.summary()).toEqual(apart.summary());
      const { positions, rms: error, kl, kl99, agreement } = apart.summary();
      const best = (row: Float32Array) => row.indexOf(Math.max(...row));
      expect(positions).toBe(rows.length);
      expect(agreement).toBe(rows.filter(([a, b]) => best(a) === best(b)).length / rows.length);
      expect(error).toBeCloseTo(Math.sqrt(rows.reduce((sum, [a, b]) => sum + rms(a, b) ** 2, 0) / rows.length), 9);
      expect(kl99).toBeGreaterThanOrEqual(kl - 1e-12);
    }));
});
