/**
 * RULER's two metrics: references found in an answer, whatever the case of letters and whatever stands around them.
 *
 * @see https://arxiv.org/abs/2404.06654
 */

/** Share of the references that the answer holds: `string_match_all`. */
export const stringMatchAll = (answer: string, references: readonly string[]): number =>
  found(answer, references).length / references.length;

/** 1 if the answer holds any of the references, else 0: `string_match_part`. */
export const stringMatchPart = (answer: string, references: readonly string[]): number =>
  found(answer, references).length > 0 ? 1 : 0;

const found = (answer: string, references: readonly string[]): readonly string[] =>
  references.filter((reference) => answer.toLowerCase().includes(reference.toLowerCase()));
