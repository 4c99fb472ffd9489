import { mean } from "simple-statistics";
import { invalid } from "../../options.ts";
import type { Result } from "../result.ts";
import { interval } from "./interval.ts";
import { type ResamplingOptions, resamplingOf, scoreOf } from "./options.ts";
import { signFlip } from "./sign-flip.ts";
import { SMALL } from "./summary.ts";

/** A method at a budget, as results name them. */
export interface Contender {
  readonly method: string;
  readonly budget: string;
}

export interface Comparison {
  /** Examples that both answered. */
  readonly pairs: number;
  /** Examples that only one of them answered, which do not count. */
  readonly unpaired: number;
  /** Mean of a's score less b's, -1 to 1, and its confidence interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** How often a difference this large would be seen were the two alike (`signFlip`). */
  readonly p: number;
  /** Examples on which a scored higher, the same, lower. */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
  /** Whether there are fewer pairs than `SMALL`. */
  readonly small: boolean;
}

/**
 * Compares two methods on the examples that both answered: examples differ far more than methods do, and pairs take that out.
 *
 * An example is the same one if task, options, seed and id are, and the model that answered it.
 *
 * @throws KvError `invalid_option` where no example has an answer of both, where one of them answered an example twice (with other
 *   options: choose among the results first), or for a score outside of 0 to 1
 */
export function compare(
  results: Iterable<Result>,
  a: Contender,
  b: Contender,
  options: ResamplingOptions = {},
): Comparison {
  const resampling = resamplingOf("compare", options);
  const all = [...results];
  const [scoresOfA, scoresOfB] = [scores(all, a, "a"), scores(all, b, "b")];
  const common = [...scoresOfA.keys()].filter((example) => scoresOfB.has(example)).toSorted();
  if (common.length === 0)
    throw invalid(["compare"], `${nameOf(a)} and ${nameOf(b)}`, "two that answered some of the same examples");
  const differences = common.map((example) => (scoresOfA.get(example) ?? 0) - (scoresOfB.get(example) ?? 0));
  return {
    pairs: common.length,
    unpaired: scoresOfA.size + scoresOfB.size - 2 * common.length,
    difference: mean(differences),
    ...interval(differences, [-1, 1], resampling),
    p: signFlip(differences, resampling),
    wins: differences.filter((it) => it > 0).length,
    ties: differences.filter((it) => it === 0).length,
    losses: differences.filter((it) => it < 0).length,
    small: common.length < SMALL,
  };
}

const nameOf = ({ method, budget }: Contender) => `${method} ${budget}`;

/** A contender's scores by example. */
function scores(results: readonly Result[], contender: Contender, role: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const result of results) {
    if (result.method !== contender.method || result.budget !== contender.budget) continue;
    const { task, taskOptions, seed, example, provenance } = result;
    const id = JSON.stringify([task, taskOptions, seed, example, provenance.weights, provenance.precision]);
    if (found.has(id)) throw invalid(["compare", role], nameOf(contender), `one that answered ${task} ${example} once`);
    found.set(id, scoreOf(result, "compare"));
  }
  if (found.size > 0) return found;
  const known = [...new Set(results.map(nameOf))].join(", ");
  throw invalid(
    ["compare", role],
    nameOf(contender),
    known === "" ? "among the results, of which there are none" : `one of ${known}`,
  );
}
