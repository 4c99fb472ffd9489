import { bestOf } from "./metric.ts";
import { normalWords } from "./words.ts";

/**
 * F1 of the words that an answer shares with a reference, each as often as both have it; SQuAD's normalisation.
 *
 * @see https://arxiv.org/abs/1606.05250 section 6.1
 */
export const qaF1 = bestOf((answer, reference) => {
  const [given, wanted] = [normalWords(answer), normalWords(reference)];
  const shared = overlap(given, wanted);
  if (shared === 0) return 0;
  const [precision, recall] = [shared / given.length, shared / wanted.length];
  return (2 * precision * recall) / (precision + recall);
});

/** Size of the intersection of two bags. */
function overlap(some: readonly string[], others: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of others) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of some) {
    const count = left.get(word) ?? 0;
    if (count > 0) shared++;
    left.set(word, count - 1);
  }
  return shared;
}
