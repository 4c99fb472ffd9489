/**
 * RULER's `vt`: which variables have a value, of which the first is assigned it and each of four others the one before. One example
 * with its answer, of at most 500 tokens and with shorter names, goes before. The prompt ends with a space, as RULER's does, which is
 * most often a token that no answer begins after in running text: models find it harder than it need be.
 */
import type { Draws } from "../../draws.ts";
import { stringMatchAll } from "../../metrics/string-match.ts";
import { defineTask } from "../../task.ts";
import { countTokens } from "../../tokens.ts";
import { drawsOf } from "../example-draws.ts";
import { largest } from "../room.ts";
import { examplesOf, type Recipe, repeated, rulerOptions } from "./examples.ts";
import { inserted, NOISE } from "./hay.ts";

const NAME = "ruler/vt";
const ANSWER = 30;
const HOPS = 4;
const EXAMPLE_TOKENS = 500;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

export const variableTracking = defineTask(NAME, rulerOptions, ({ length, examples }) => ({
  maxNewTokens: ANSWER,
  stop: "model",
  examples(reader) {
    const room = { task: NAME, option: "length", length, maxNewTokens: ANSWER } as const;
    const shot = (size: number, random: Draws) => {
      const { prompt, answers } = chain(size, 3, random);
      return `${prompt} ${answers.join(" ")}\n`;
    };
    const fits = (size: number) =>
      countTokens(reader.tokenizer, shot(size, drawsOf(reader.seed, "example"))) <= EXAMPLE_TOKENS;
    const noise = largest(fits, HOPS + 1, EXAMPLE_TOKENS) ?? HOPS + 1;
    const recipe: Recipe = {
      least: HOPS + 1,
      compose(size, random) {
        const before = shot(noise, random);
        const { prompt, answers } = chain(size, 5, random);
        return { prompt: `${before}\n${prompt}`, answers };
      },
    };
    return examplesOf(room, reader, repeated(recipe, examples));
  },
  score: (answer, { answers }) => stringMatchAll(answer, answers),
}));

/** RULER's template and answer prefix, over lines of noise with a chain of assignments in order. */
function chain(noise: number, letters: number, random: Draws) {
  const names = new Set<string>();
  while (names.size <= HOPS) names.add(Array.from({ length: letters }, () => random.some([...LETTERS], 1)).join(""));
  const variables = [...names];
  const value = random.integer(10_000, 99_999);
  const assignments = variables.map((name, i) =>
    i === 0 ? `VAR ${name} = ${value}` : `VAR ${name} = VAR ${variables[i - 1]} `,
  );
  const lines = repeated(NOISE, noise);
  const places = random.some([...lines.keys()], assignments.length).sort((a, b) => a - b);
  const prompt =
    "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n" +
    `${inserted(lines, places, assignments).join("\n")}\n` +
    `Question: Find all variables that are assigned the value ${value} in the text above. ` +
    `Answer: According to the chain(s) of variable assignment in the text above, ${HOPS + 1} variables are assigned the value ${value}, they are: `;
  return { prompt, answers: variables };
}
