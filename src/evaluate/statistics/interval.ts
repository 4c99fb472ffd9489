/** Confidence intervals of the mean of numbers between known bounds, as scores are. */
import quantile from "@stdlib/stats-base-dists-normal-quantile";
import { bootstrap, type Resampling } from "./bootstrap.ts";
import { ROUNDING } from "./rounding.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Least and greatest possible values: 0 and 1 for scores, -1 and 1 for their differences. */
export type Bounds = readonly [from: number, to: number];

const same = (a: number, b: number): boolean => Math.abs(a - b) < ROUNDING;

/**
 * Interval of the mean, where examples are drawn at random.
 *
 * Right and wrong answers are a proportion, and get Wilson's interval. Others get the bootstrap's, save where all are equal: every
 * resample is then the same, and the bootstrap would be certain. There the question is how many of the examples not seen could be
 * otherwise, at worst by as much as the bounds allow: Wilson's upper bound for a proportion of which none was seen, p. It gives
 * [c - p (c - from), c + p (to - c)] for values c, which at the bounds is Wilson's interval again. 50 of 50 right: [0.93, 1].
 *
 * @param values at least one; their order decides which resamples are drawn
 * @see https://doi.org/10.1080/01621459.1927.10502953 Wilson, 1927
 */
export function interval(values: readonly number[], [from, to]: Bounds, resampling: Resampling): Interval {
  const { confidence } = resampling;
  const first = values[0] ?? Number.NaN;
  if (values.every((value) => same(value, first))) {
    const other = wilson(0, values.length, confidence).high;
    return { low: first - other * (first - from), high: first + other * (to - first) };
  }
  if (values.every((value) => same(value, from) || same(value, to))) {
    const share = wilson(values.filter((value) => same(value, to)).length, values.length, confidence);
    return { low: from + share.low * (to - from), high: from + share.high * (to - from) };
  }
  return bootstrap(values, resampling);
}

/** Wilson's score interval of a proportion of which `hits` of `count` were seen. */
export function wilson(hits: number, count: number, confidence: number): Interval {
  const z = quantile((1 + confidence) / 2, 0, 1);
  const share = hits / count;
  const middle = share + z ** 2 / (2 * count);
  const reach = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const scale = 1 + z ** 2 / count;
  // The bounds at 0 and 1 are exact: rounding must not move them.
  return {
    low: hits === 0 ? 0 : (middle - reach) / scale,
    high: hits === count ? 1 : (middle + reach) / scale,
  };
}
