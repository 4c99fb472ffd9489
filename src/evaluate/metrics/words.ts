/** Words, as the published metrics cut them. */

/** What stands between blanks. Python's `split()` parts the same, but for four control characters. */
export const words = (text: string): string[] => text.split(/\p{White_Space}+/u).filter((word) => word !== "");

/** string.punctuation of Python: ASCII only. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** Letters beside an article make it part of a word, those beyond ASCII too. */
const ARTICLE = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** Words as SQuAD compares them: lower case, without punctuation, then without articles. @see https://arxiv.org/abs/1606.05250 */
export const normalWords = (text: string): string[] =>
  words(text.toLowerCase().replaceAll(PUNCTUATION, "").replaceAll(ARTICLE, " "));
