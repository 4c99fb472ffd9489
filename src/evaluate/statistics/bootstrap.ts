/** The bootstrap: what a mean could have been, from samples drawn from the sample. */
import cdf from "@stdlib/stats-base-dists-normal-cdf";
import quantile from "@stdlib/stats-base-dists-normal-quantile";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mean, quantileSorted } from "simple-statistics";
import type { Interval } from "./interval.ts";
import { ROUNDING } from "./rounding.ts";

export interface Resampling {
  /** Share of samples whose interval should hold the true mean. */
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: number;
}

/**
 * Bias-corrected and accelerated (BCa) interval of the mean. Scores crowd at 0 and 1, so their means are skewed: BCa corrects for
 * that, where the percentile interval leaves its error on one side.
 *
 * @param values not all equal
 * @see https://doi.org/10.1080/01621459.1987.10478410 Efron, 1987
 */
export function bootstrap(values: readonly number[], { confidence, resamples, seed }: Resampling): Interval {
  const random = xoroshiro128plus(seed);
  const { length } = values;
  const drawn = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += values[uniformInt(random, 0, length - 1)] ?? 0;
    return sum / length;
  });
  const means = [...drawn.sort()];
  const bias = quantile(shareBelow(means, mean(values)), 0, 1);
  const acceleration = skew(values) / 6;
  const bound = (level: number) => {
    const z = bias + quantile(level, 0, 1);
    return quantileSorted(means, cdf(bias + z / (1 - acceleration * z), 0, 1));
  };
  return { low: bound((1 - confidence) / 2), high: bound((1 + confidence) / 2) };
}

/** Share of numbers below one, those equal to it (but for rounding) counted half; never all or none, which have no quantile. */
function shareBelow(numbers: readonly number[], bound: number): number {
  let below = 0;
  for (const number of numbers) below += Math.abs(number - bound) < ROUNDING ? 0.5 : number < bound ? 1 : 0;
  return Math.min(Math.max(below, 0.5), numbers.length - 0.5) / numbers.length;
}

/** What one example's absence does to the mean, cubed and summed: the jackknife's measure of skew. */
function skew(values: readonly number[]): number {
  const middle = mean([...values]);
  const power = (exponent: number) => values.reduce((sum, value) => sum + (value - middle) ** exponent, 0);
  return power(3) / power(2) ** 1.5;
}
