import { commonSubsequence } from "./common-subsequence.ts";
import { bestOf } from "./metric.ts";
import { words } from "./words.ts";

/** So that nothing shared is no division by zero; it keeps even an exact copy 5e-9 below 1. */
const EPSILON = 1e-8;

/**
 * ROUGE-L of Python's `rouge` 1.0.1, which LongBench takes: the F1 of a summary-level LCS over sets of words, case and punctuation kept.
 *
 * Sentences end at full stops. The words of the longest common subsequences of every sentence with every reference sentence are put together;
 * their number is compared with how many different words answer and reference have. Beside an empty text it is 0.
 *
 * @see https://aclanthology.org/W04-1013 section 3.2
 */
export const rougeL = bestOf((answer, reference) => {
  const [given, wanted] = [sentences(answer), sentences(reference)];
  if (given.length === 0 || wanted.length === 0) return 0;
  const shared = new Set(wanted.flatMap((one) => given.flatMap((other) => commonSubsequence(one, other)))).size;
  const precision = shared / new Set(given.flat()).size;
  const recall = shared / new Set(wanted.flat()).size;
  return 2 * ((precision * recall) / (precision + recall + EPSILON));
});

/** Blanks between two full stops make a sentence of one empty word, which counts. */
const sentences = (text: string): string[][] =>
  text
    .split(".")
    .filter((sentence) => sentence !== "")
    .map((sentence) => words(sentence).join(" ").split(" "));
