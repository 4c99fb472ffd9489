import { mean } from "simple-statistics";
import { z } from "zod";
import { checked, invalid } from "../../options.ts";
import type { Result } from "../result.ts";
import { interval } from "./interval.ts";
import { type ResamplingOptions, resamplingShape, scoreOf } from "./options.ts";
import { SMALL, type Summary } from "./summary.ts";

export interface SummariseOptions extends ResamplingOptions {
  /**
   * What makes a group: names of fields or of facets; default task, method and budget. What is not named is averaged over, a
   * second model or other options of the same method too. A result without a facet is in a group without it.
   */
  readonly by?: readonly string[];
}

const FIELDS = new Map<string, (result: Result) => string | number>([
  ["task", ({ task }) => task],
  ["taskOptions", ({ taskOptions }) => JSON.stringify(taskOptions)],
  ["seed", ({ seed }) => seed],
  ["example", ({ example }) => example],
  ["method", ({ method }) => method],
  ["methodOptions", ({ methodOptions }) => JSON.stringify(methodOptions)],
  ["budget", ({ budget }) => budget],
  ["model", ({ provenance }) => provenance.model],
  ["precision", ({ provenance }) => provenance.precision],
]);

const shape = resamplingShape.extend({
  by: z.array(z.string("a name"), "a list of names").default(["task", "method", "budget"]),
});

/**
 * Means of scores by groups, with confidence intervals (`interval`).
 *
 * The same for the same results in any order. Groups come in the order of their values, numbers in text as numbers ("64" before
 * "128").
 *
 * @throws KvError `invalid_option` for a name that no result has, or a score outside of 0 to 1
 */
export function summarise(results: Iterable<Result>, options: SummariseOptions = {}): readonly Summary[] {
  const { by, ...resampling } = checked(shape, options, "summarise");
  const all = [...results];
  refuseUnknownNames(by, all);
  const groups = Map.groupBy(all, (result) => JSON.stringify(by.map((name) => valueIn(result, name))));
  return [...groups]
    .map(([id, members]) => {
      // In their order alone, so that equal scores make equal resamples.
      const scores = members.map((result) => scoreOf(result, "summarise")).toSorted((a, b) => a - b);
      const summary: Summary = {
        group: Object.fromEntries(by.flatMap((name) => named(name, members[0]))),
        count: scores.length,
        mean: mean(scores),
        ...interval(scores, [0, 1], resampling),
        small: scores.length < SMALL,
        kept: meanOf(members, ({ kept }) => kept),
        bytes: meanOf(members, ({ bytes }) => bytes),
      };
      return { id, summary };
    })
    .toSorted((a, b) => natural.compare(a.id, b.id) || (a.id < b.id ? -1 : 1))
    .map(({ summary }) => summary);
}

const natural = new Intl.Collator("en", { numeric: true });

const valueIn = (result: Result, name: string): string | number | null =>
  FIELDS.get(name)?.(result) ?? result.facets[name] ?? null;

const named = (name: string, result: Result | undefined): readonly [string, string | number][] => {
  const value = result === undefined ? null : valueIn(result, name);
  return value === null ? [] : [[name, value]];
};

const meanOf = (results: readonly Result[], number: (result: Result) => number): number =>
  mean(results.map(number).toSorted((a, b) => a - b));

function refuseUnknownNames(by: readonly string[], results: readonly Result[]): void {
  if (results.length === 0) return;
  const known = new Set([...FIELDS.keys(), ...results.flatMap(({ facets }) => Object.keys(facets))]);
  const unknown = by.find((name) => !known.has(name));
  if (unknown !== undefined) throw invalid(["summarise", "by"], unknown, `one of ${[...known].join(", ")}`);
}
