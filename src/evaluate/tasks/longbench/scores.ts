/** Means as LongBench's tables have them: in percent, rounded as Python rounds. */
import type { Facets } from "../../task.ts";
import { type Band, bands } from "./datasets.ts";

/** What results are, as far as their scores go. */
export interface Scored {
  readonly facets: Facets;
  /** 0 to 1. */
  readonly score: number;
}

export interface LongBenchScores {
  /** By data set: two decimals. */
  readonly datasets: Readonly<Record<string, number>>;
  /** The mean of these, every data set counting the same; null without any. */
  readonly average: number | null;
}

/** LongBench's scores of one method: every data set's mean, and the mean over data sets. */
export function longBenchScores(results: readonly Scored[]): LongBenchScores {
  const groups = groupsBy(results, "dataset");
  const datasets = groups.map(
    ([dataset, scores]) => [dataset, rounded((100 * sum(scores)) / scores.length, 2)] as const,
  );
  return { datasets: Object.fromEntries(datasets), average: meanOf(datasets.map(([, score]) => score)) };
}

export interface LongBenchEScores {
  /** By data set and band; bands without examples are left out. */
  readonly datasets: Readonly<Record<string, Readonly<Partial<Record<Band, number>>>>>;
  /** The mean of these over data sets, by band. */
  readonly average: Readonly<Record<Band, number | null>>;
}

/** LongBench-E's scores of one method: every data set's mean in each band of lengths, and their means over data sets. */
export function longBenchEScores(results: readonly Scored[]): LongBenchEScores {
  const datasets = groupsBy(results, "dataset").map(([dataset, , rows]) => {
    const ofBands = groupsBy(rows, "length").map(([band, scores]) => [
      band,
      rounded(100 * (sum(scores) / scores.length), 2),
    ]);
    const known: Partial<Record<Band, number>> = Object.fromEntries(ofBands);
    return [dataset, known] as const;
  });
  const average = (band: Band) =>
    meanOf(datasets.map(([, scores]) => scores[band]).filter((score) => score !== undefined));
  const [short, medium, long] = bands;
  return {
    datasets: Object.fromEntries(datasets),
    average: { [short]: average(short), [medium]: average(medium), [long]: average(long) },
  };
}

/** LongBench v2's scores of one method, one decimal: over all, by difficulty and by length; groups without examples are left out. */
export function longBenchV2Scores(results: readonly Scored[]): Readonly<Record<string, number>> {
  const all = results.length === 0 ? [] : [["overall", results.map(({ score }) => score)] as const];
  const groups = [...all, ...groupsBy(results, "difficulty"), ...groupsBy(results, "length")];
  return Object.fromEntries(groups.map(([name, scores]) => [name, rounded((100 * sum(scores)) / scores.length, 1)]));
}

/** Scores and rows by the value of a facet, in the order the values first come. */
const groupsBy = (results: readonly Scored[], facet: string) =>
  [...Map.groupBy(results, ({ facets }) => String(facets[facet]))].map(
    ([value, rows]) => [value, rows.map(({ score }) => score), rows] as const,
  );

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : rounded(sum(values) / values.length, 2);

/** Python's round(x, digits) of a number >= 0: to the nearest decimal, and exact halves, of which `toFixed` takes the upper, to the even one. */
export function rounded(x: number, digits: number): number {
  const upper = x.toFixed(digits);
  const half = (x * 2 ** (digits + 1)) % 2 === 1; // only odd multiples of 2^-(digits + 1) are exact halves
  return Number(half && /[13579]$/.test(upper) ? (x - 10 ** -digits / 4).toFixed(digits) : upper);
}
