/**
 * RULER's `cwe`: the ten words of a numbered list that come often, 30 times where the others come 3 times (below 4,096 tokens 6 and 1).
 * A short list with its answer goes before.
 */
import type { Draws } from "../../draws.ts";
import { stringMatchAll } from "../../metrics/string-match.ts";
import { defineTask } from "../../task.ts";
import { examplesOf, repeated, rulerOptions } from "./examples.ts";
import { common, many } from "./words.ts";

const NAME = "ruler/cwe";
const ANSWER = 120;
const COMMON = 10;

interface Frequencies {
  /** Different words. */
  readonly words: number;
  /** How often each of the common ones comes, and each of the others. */
  readonly often: number;
  readonly seldom: number;
}

export const commonWords = defineTask(NAME, rulerOptions, ({ length, examples }) => ({
  maxNewTokens: ANSWER,
  stop: "model",
  examples(reader) {
    const room = { task: NAME, option: "length", length, maxNewTokens: ANSWER } as const;
    const short = length < 4096;
    const shot = short ? { words: 20, often: 3, seldom: 1 } : { words: 40, often: 10, seldom: 3 };
    const [few, all] = [common(), many()];
    const recipe = {
      least: COMMON + 1,
      most: all.length,
      compose(words: number, random: Draws) {
        const example = list(few, shot, random);
        const frequencies = { words, ...(short ? { often: 6, seldom: 1 } : { often: 30, seldom: 3 }) };
        const { prompt, answers } = list(words <= few.length ? few : all, frequencies, random);
        return { prompt: `${example.prompt} ${numbered(example.answers)}\n${prompt}`, answers };
      },
    };
    return examplesOf(room, reader, repeated(recipe, examples));
  },
  score: (answer, { answers }) => stringMatchAll(answer, answers),
}));

const numbered = (words: readonly string[]) => words.map((word, i) => `${i + 1}. ${word}`).join(" ");

/** RULER's template and answer prefix. */
function list(words: readonly string[], { words: count, often, seldom }: Frequencies, random: Draws) {
  const some = random.some(words, count);
  const all = some.flatMap((word, i) => repeated(word, i < COMMON ? often : seldom));
  const prompt =
    "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that appear most often.\n" +
    `${numbered(random.some(all, all.length))}\nQuestion: What are the 10 most common words in the above list? ` +
    "Answer: The top 10 words that appear most often in the list are:";
  return { prompt, answers: some.slice(0, COMMON) };
}
