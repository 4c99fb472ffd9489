/**
 * RULER's `fwe`: the three most frequent of made-up words of six letters, whose frequencies fall off as rank to the power of -2
 * (a zeta distribution); the most frequent of all is noise, "...".
 */
import type { Draws } from "../../draws.ts";
import { stringMatchAll } from "../../metrics/string-match.ts";
import { defineTask } from "../../task.ts";
import { examplesOf, type Recipe, repeated, rulerOptions } from "./examples.ts";

const NAME = "ruler/fwe";
const ANSWER = 50;
const ALPHA = 2;
/** Of ALPHA: the sum of k^-2. */
const ZETA = Math.PI ** 2 / 6;
/** From here on the fourth of the ranks comes more often than the fifth, so that three words are the answer. */
const LEAST = 53;
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];

/** How often the word of each rank comes in a text of about `words` words. */
export const frequencies = (words: number, vocabulary: number): readonly number[] =>
  Array.from({ length: vocabulary }, (_, k) => Math.floor((words * (k + 1) ** -ALPHA) / ZETA));

export const frequentWords = defineTask(NAME, rulerOptions, ({ length, examples }) => ({
  maxNewTokens: ANSWER,
  stop: "model",
  examples(reader) {
    const room = { task: NAME, option: "length", length, maxNewTokens: ANSWER } as const;
    const vocabulary = Math.max(5, Math.floor((length - ANSWER) / 50));
    const recipe: Recipe = {
      least: LEAST,
      compose(size, random) {
        const coded = new Set(["..."]);
        while (coded.size < vocabulary) coded.add(sixLetters(random));
        const words = [...coded];
        const text = frequencies(size, vocabulary).flatMap((count, k) => repeated(words[k] ?? "", count));
        return { prompt: frame(random.some(text, text.length).join(" ")), answers: words.slice(1, 4) };
      },
    };
    return examplesOf(room, reader, repeated(recipe, examples));
  },
  score: (answer, { answers }) => stringMatchAll(answer, answers),
}));

const sixLetters = (random: Draws) => Array.from({ length: 6 }, () => random.some(LETTERS, 1)).join("");

/** RULER's template and answer prefix. */
const frame = (context: string) =>
  "Read the following coded text and track the frequency of each coded word. Find the three most frequently appeared coded words. " +
  `${context}\nQuestion: Do not provide any explanation. Please ignore the dots '....'. ` +
  "What are the three most frequently appeared words in the above coded text? " +
  "Answer: According to the coded text above, the three most frequently appeared words are:";
