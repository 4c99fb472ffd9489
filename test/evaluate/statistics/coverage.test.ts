/** Intervals hold the true mean about as often as they say, on simulated scores. */
import { expect, test } from "bun:test";
import { interval } from "../../../src/evaluate/statistics/interval.ts";
import { uniform } from "../../support/random.ts";

const SAMPLES = 2000;

/** Share of samples whose interval at 95 % holds the mean. */
function coverage(score: (next: () => number) => number, count: number, mean: number): number {
  const next = uniform(11);
  let held = 0;
  for (let seed = 0; seed < SAMPLES; seed++) {
    const values = Array.from({ length: count }, () => score(next)).toSorted((a, b) => a - b);
    const { low, high } = interval(values, [0, 1], { confidence: 0.95, resamples: 400, seed });
    if (low <= mean && mean <= high) held++;
  }
  return held / SAMPLES;
}

const right = (share: number) => (next: () => number) => Number(next() < share);
/** As F1 is: often 1, often 0, else between. */
const partly = (next: () => number) => {
  const kind = next();
  return kind < 0.4 ? 1 : kind < 0.6 ? 0 : next();
};

test.each([
  ["proportions of 0.5", right(0.5), 30, 0.5, 0.93, 0.98],
  ["proportions of 0.95, where samples without a miss are common", right(0.95), 30, 0.95, 0.92, 0.98],
  ["partial scores", partly, 30, 0.6, 0.935, 0.97],
  ["few partial scores", partly, 8, 0.6, 0.92, 0.97],
  ["scores that are nearly always equal", (next: () => number) => (next() < 0.05 ? 0 : 0.5), 30, 0.475, 0.95, 1],
] as const)("%s", (_name, score, count, mean, least, most) => {
  const found = coverage(score, count, mean);
  expect(found).toBeGreaterThanOrEqual(least);
  expect(found).toBeLessThanOrEqual(most);
});
