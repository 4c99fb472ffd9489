/** One seed for every random test, so that a failure can be run again: PYRAMIDKV_SEED=7 bun test. */
import process from "node:process";
import fc from "fast-check";

export const SEED = Number(process.env.PYRAMIDKV_SEED ?? 2406_02069);

/** Checks a property on `runs` random values; the error of a failure holds the seed and the smallest counterexample. */
export const holds = <T>(
  values: fc.Arbitrary<T>,
  property: (value: T) => void | Promise<void>,
  runs = 100,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(values, async (value) => property(value)),
    { seed: SEED, numRuns: runs },
  );
