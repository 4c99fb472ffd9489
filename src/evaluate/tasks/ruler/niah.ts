/** RULER's eight needle tasks: keys with values, hidden in noise, in an essay, or among needles that are alike. */
import type { Draws } from "../../draws.ts";
import { haystack as sentencesIn } from "../../haystack.ts";
import { stringMatchAll } from "../../metrics/string-match.ts";
import { defineTask, type Reader, type Task } from "../../task.ts";
import { haystack } from "../options.ts";
import { examplesOf, type Recipe, repeated, rulerOptions } from "./examples.ts";
import { amongOthers, type Hide, inEssay, inNoise } from "./hay.ts";
import { twoWords } from "./words.ts";

const TYPES = {
  words: twoWords,
  numbers: (random: Draws) => String(random.integer(1_000_000, 9_999_999)),
  uuids: uuid,
} as const;
type Type = keyof typeof TYPES;

interface Variant {
  /** Of keys and values. */
  readonly types: readonly [key: Type, value: Type];
  /** Keys in the text, values of each, and keys asked for. */
  readonly keys?: number;
  readonly values?: number;
  readonly queries?: number;
}

const ANSWER = 128;
const numbers: Variant = { types: ["words", "numbers"] };
const { length, examples } = rulerOptions;

/** A needle task in noise or among others. */
const ofLines = (name: string, variant: Variant, hide: Hide) =>
  defineTask(name, { length, examples }, (options) => parts(name, variant, options, () => hide));

/** A needle task in an essay: the option `haystack` is a text file to take in place of Moby-Dick. */
const ofEssay = (name: string, variant: Variant) =>
  defineTask(name, { length, examples, haystack }, (options) =>
    parts(name, variant, options, () => inEssay(sentencesIn(options.haystack, name))),
  );

export const niahTasks = {
  niah_single_1: ofLines("ruler/niah_single_1", numbers, inNoise),
  niah_single_2: ofEssay("ruler/niah_single_2", numbers),
  niah_single_3: ofEssay("ruler/niah_single_3", { types: ["words", "uuids"] }),
  niah_multikey_1: ofEssay("ruler/niah_multikey_1", { ...numbers, keys: 4 }),
  niah_multikey_2: ofLines("ruler/niah_multikey_2", numbers, amongOthers),
  niah_multikey_3: ofLines("ruler/niah_multikey_3", { types: ["uuids", "uuids"] }, amongOthers),
  niah_multivalue: ofEssay("ruler/niah_multivalue", { ...numbers, values: 4 }),
  niah_multiquery: ofEssay("ruler/niah_multiquery", { ...numbers, keys: 4, queries: 4 }),
};

/** @param open the haystack, once for all examples */
function parts(
  task: string,
  variant: Variant,
  { length, examples }: { readonly length: number; readonly examples: number },
  open: () => Hide,
): Omit<Task, "name" | "options"> {
  const room = { task, option: "length", length, maxNewTokens: ANSWER } as const;
  return {
    maxNewTokens: ANSWER,
    stop: "model",
    examples: (reader: Reader) => examplesOf(room, reader, repeated(recipe(variant, open()), examples)),
    score: (answer, { answers }) => stringMatchAll(answer, answers),
  };
}

function recipe({ types: [keyType, valueType], keys = 1, values = 1, queries = 1 }: Variant, hide: Hide): Recipe {
  const needle = (key: string, value: string) => `One of the special magic ${valueType} for ${key} is: ${value}.`;
  return {
    least: keys * values,
    compose(size, random) {
      const all = new Map<string, readonly string[]>();
      while (all.size < keys) {
        all.set(
          TYPES[keyType](random),
          Array.from({ length: values }, () => TYPES[valueType](random)),
        );
      }
      const another = (): string => {
        const key = TYPES[keyType](random);
        return all.has(key) ? another() : needle(key, TYPES[valueType](random));
      };
      const needles = [...all].flatMap(([key, its]) => its.map((value) => needle(key, value)));
      const asked = random.some([...all], queries);
      const context = hide(random.some(needles, needles.length), size, random, another);
      return {
        prompt: frame(
          context,
          asked.map(([key]) => key),
          valueType,
          queries * values > 1,
        ),
        answers: asked.flatMap(([, its]) => its),
      };
    },
  };
}

/** RULER's template and answer prefix. */
function frame(context: string, keys: readonly string[], type: Type, many: boolean): string {
  const [some, what, are] = many ? ["Some", type, "are"] : ["A", type.slice(0, -1), "is"];
  const query = keys.length > 1 ? `${keys.slice(0, -1).join(", ")}, and ${keys.at(-1)}` : keys.join();
  return (
    `${some} special magic ${what} ${are} hidden within the following text. Make sure to memorize it. ` +
    `I will quiz you about the ${what} afterwards.\n${context}\n` +
    `What ${many ? "are all" : "is"} the special magic ${what} for ${query} mentioned in the provided text? ` +
    `The special magic ${what} for ${query} mentioned in the provided text ${are}`
  );
}

/** Version 4: 122 random bits. */
function uuid(random: Draws): string {
  const digits = Array.from({ length: 32 }, (_, i) =>
    i === 12 ? 4 : i === 16 ? random.integer(8, 11) : random.integer(0, 15),
  );
  const hex = digits.map((digit) => digit.toString(16)).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
