/**
 * Needle in a haystack: a fact hidden at every depth of texts of every length, and asked for at the end.
 *
 * The needle is a place's magic number (`kind: "passkey"`), scored 1 where the answer begins with it; or a sentence to be repeated
 * (`"sentence"`), scored by the share of its words of four letters or more that the answer holds. Passkeys have variants: many places
 * with numbers, of which one is asked (`keys`); several numbers of that place (`values`) or several places (`queries`), all of them asked and
 * the score the share found. Then `depth` is the first asked one's; what else is hidden is spread evenly over the text.
 *
 * @see https://github.com/gkamradt/LLMTest_NeedleInAHaystack
 */
import { z } from "zod";
import { count } from "../../../methods/options.ts";
import { invalid } from "../../../options.ts";
import { haystack as sentencesIn } from "../../haystack.ts";
import { firstNumber } from "../../metrics/first-number.ts";
import { stringMatchAll } from "../../metrics/string-match.ts";
import { defineTask } from "../../task.ts";
import { drawsOf } from "../example-draws.ts";
import { examples, haystack, lengths } from "../options.ts";
import { passkey } from "./passkey.ts";
import { hide, wordsOf } from "./place.ts";
import { PLACES } from "./riddle.ts";
import { sentence } from "./sentence.ts";

interface Variant {
  readonly kind?: "passkey" | "sentence";
  readonly keys?: number;
  readonly values?: number;
  readonly queries?: number;
}

const depths = "how many depths, an integer >= 1, or a list of numbers from 0 to 1";
const evenly = (number: number) => Array.from({ length: number }, (_, i) => (number === 1 ? 0.5 : i / (number - 1)));
function upTo(most: number) {
  const allowed = `an integer from 1 to ${most}`;
  return z.int(allowed).min(1, allowed).max(most, allowed);
}

const shape = ({ kind = "passkey", keys = 1, values = 1, queries = 1 }: Variant) => ({
  /** Tokens of prompt and answer together, at most. */
  lengths: lengths(500, 1000),
  /** How many, evenly from the text's beginning to its end, or which. */
  depths: z
    .union([count(1).max(1000).transform(evenly), z.array(z.number().min(0).max(1)).min(1)], depths)
    .default(evenly(11)),
  /** Of each length and depth. */
  examples: examples(1),
  /** A number to be found, or a sentence to be repeated. */
  kind: z.enum(["passkey", "sentence"], "passkey or sentence").default(kind),
  /** Places that something is hidden about. */
  keys: upTo(PLACES.length).default(keys),
  /** Numbers of each place. */
  values: upTo(32).default(values),
  /** Places asked about at once; there are as many keys at least. */
  queries: upTo(PLACES.length).default(queries),
  /** A text file; default: Moby-Dick. */
  haystack,
});

/** Tokens of five digits, what is between two numbers, and what would make one wrong. */
const NUMBER = 10;
const SENTENCE = 24;

const needleTask = (name: string, variant: Variant) =>
  defineTask(name, shape(variant), ({ kind, lengths, depths, examples, values, queries, ...options }) => {
    const keys = Math.max(options.keys, queries);
    const asked = queries * values;
    for (const [option, value] of Object.entries({ values, queries }))
      if (kind === "sentence" && value > 1) throw invalid([name, option], value, "1 where kind is sentence");
    const maxNewTokens = kind === "sentence" ? SENTENCE : NUMBER * asked;
    return {
      maxNewTokens,
      stop: "never",
      *examples(reader) {
        const words = wordsOf(sentencesIn(options.haystack, name));
        const starts = words.flatMap(({ opensSentence }, i) => (opensSentence ? [i] : []));
        for (let i = 0; i < examples; i++) {
          for (const length of lengths) {
            for (const depth of depths) {
              const random = drawsOf(reader.seed, depth, i);
              const at = starts[random.integer(0, starts.length - 1)] ?? 0;
              const riddle =
                kind === "sentence" ? sentence(random, { keys }) : passkey(random, { keys, values, queries });
              const room = { task: name, option: "lengths", length, maxNewTokens } as const;
              const prompt = hide(riddle, { haystack: words, at, depth }, room, reader);
              const { answers, reply } = riddle;
              yield { id: `${length}/${depth}/${i}`, prompt, answers, reply, facets: { length, depth } };
            }
          }
        }
      },
      score: (answer, { answers }) =>
        kind === "passkey" && asked === 1 ? firstNumber(answer, answers) : stringMatchAll(answer, answers),
    };
  });

export const needle = needleTask("needle", {});
/** A sentence to be repeated. */
export const needleSentence = needleTask("needle-sentence", { kind: "sentence" });
/** One of four alike. */
export const needleMultiKey = needleTask("needle-multi-key", { keys: 4 });
/** Four numbers of one place. */
export const needleMultiValue = needleTask("needle-multi-value", { values: 4 });
/** Four places asked at once. */
export const needleMultiQuery = needleTask("needle-multi-query", { queries: 4 });
