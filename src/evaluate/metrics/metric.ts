/** What a metric is: the worth of an answer beside the answers that count as right. */

/**
 * 0 (nothing of it) to 1. Of several references the best one counts, so their order does not matter.
 *
 * @param classes all labels that a classification could have given; other metrics do not look at them
 */
export type Metric = (answer: string, references: readonly string[], classes?: readonly string[]) => number;

/** A metric from what an answer is worth beside one reference. Without references an answer is worth 0. */
export const bestOf =
  (compare: (answer: string, reference: string, classes: readonly string[]) => number): Metric =>
  (answer, references, classes = []) =>
    references.reduce((best, reference) => Math.max(best, compare(answer, reference, classes)), 0);
