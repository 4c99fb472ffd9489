/** A task and a tokenizer for models of 64 tokens: prompts of letters, to measure sweeps and not models. */
import { z } from "zod";
import { defineTask, draws, type Example } from "../../src/evaluate/index.ts";
import { full, heavyHitters, type Model, registry, snapKV, type Tokenizer } from "../../src/index.ts";
import { count } from "../../src/methods/options.ts";
import { sharedModel } from "./tiny-model.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n";

/** A token is one of 64 letters. */
export const letters: Tokenizer = {
  encode: (text) => Int32Array.from(text, (letter) => Math.max(0, LETTERS.indexOf(letter))),
  decode: (tokens) => Array.from(tokens, (token) => LETTERS[token] ?? "").join(""),
  chat: () => "",
};

export const withLetters = (model: Model): Model => ({ ...model, tokenizer: letters });

/** The same in every process. */
export const letterModel = async (): Promise<Model> => withLetters(await sharedModel({ layers: 2 }, 1));

export const letterMethods = [
  full(),
  snapKV,
  registry.pyramidkv,
  registry.h2o,
  registry.window,
  registry.streamingllm,
] as const;

/** The same, and one with what evicts while answers are decoded. */
export const letterPairs = [...letterMethods, { method: registry.h2o, evict: heavyHitters }] as const;

/** Random letters; an answer is worth the share of its letters that are small ones. */
export const letterTask = defineTask(
  "letters",
  {
    examples: count(1).default(3),
    length: count(1).default(61),
    maxNewTokens: count(0).default(5),
    minNewTokens: count(0).default(0),
    stop: z.enum(["model", "line", "never"]).default("never"),
  },
  ({ examples, length, maxNewTokens, minNewTokens, stop }) => ({
    maxNewTokens,
    minNewTokens,
    stop,
    *examples({ seed }): Iterable<Example> {
      for (let i = 0; i < examples; i++) {
        const random = draws(1000 * seed + i);
        const prompt = Array.from({ length }, () => LETTERS[random.integer(0, 63)]).join("");
        yield { id: `${i}`, prompt, answers: ["a"], facets: { length } };
      }
    },
    score: (answer) => (answer === "" ? 0 : (answer.match(/[a-z]/g) ?? []).length / answer.length),
  }),
);
