/**
 * One seed for every random test, so that a failure can be run again: PYRAMIDKV_SEED=7 bun test. PYRAMIDKV_RUNS=0.3 runs every law on a share of its
 * random values.
 */
import process from "node:process";
import fc from "fast-check";

export const SEED = Number(process.env.PYRAMIDKV_SEED ?? 2406_02069);

const SHARE = Number(process.env.PYRAMIDKV_RUNS ?? 1);

/** How many random values of so many. */
export const runsOf = (runs: number): number => Math.ceil(runs * SHARE);

/** Checks a property on `runs` random values; the error of a failure holds the seed and the smallest counterexample. */
export const holds = <T>(
  values: fc.Arbitrary<T>,
  property: (value: T) => void | Promise<void>,
  runs = 100,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(values, async (value) => property(value)),
    { seed: SEED, numRuns: runsOf(runs) },
  );
