import { roundHalfEven } from "../../allocation/published/python.ts";
import { commonSubsequence } from "./common-subsequence.ts";
import { matchingElements } from "./matching-blocks.ts";
import { bestOf } from "./metric.ts";

/**
 * LongBench's score of a line of code: how alike the answer's first line that holds no `, # or // and the reference are, in hundredths.
 *
 * It is `fuzz.ratio` of Python's `fuzzywuzzy` without `python-Levenshtein`, which is what LongBench's (and kvpress's) requirements install:
 * twice the characters in difflib's matching blocks over those of both lines.
 */
export const codeSimilarity = bestOf((answer, reference) => ratio(firstCodeLine(answer), reference, matchingElements));

/**
 * The same where `python-Levenshtein` is installed, as KVCache-Factory's requirements do: `fuzz.ratio` then counts the characters of a
 * longest common subsequence, so it is never lower. Compare numbers of one kind only.
 */
export const codeSimilarityLevenshtein = bestOf((answer, reference) =>
  ratio(firstCodeLine(answer), reference, (a, b) => commonSubsequence(a, b).length),
);

const firstCodeLine = (answer: string): string =>
  answer
    .replace(/^\n+/, "")
    .split("\n")
    .find((line) => !/`|#|\/\//.test(line)) ?? "";

/** @param matched how many elements of one sequence are found in the other */
function ratio(given: string, wanted: string, matched: (a: readonly string[], b: readonly string[]) => number): number {
  if (given === wanted) return 1;
  const [a, b] = [Array.from(given), Array.from(wanted)]; // characters, as Python counts them: not halves of them
  return roundHalfEven(100 * ((2 * matched(a, b)) / (a.length + b.length))) / 100;
}
