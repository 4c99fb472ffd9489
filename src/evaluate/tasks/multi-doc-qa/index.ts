/**
 * Question answering over several documents. Each says who did something to a building, and what someone of another document does; all
 * of it is made up. One hop asks for what a document says; two hops for what the one does who did something to a building, which is in
 * another document. Answers are of several words, scored 1 where they come within the first tokens.
 */
import { z } from "zod";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { invalid } from "../../../options.ts";
import type { Draws } from "../../draws.ts";
import { stringMatchPart } from "../../metrics/string-match.ts";
import { defineTask, type Example } from "../../task.ts";
import { countTokens, tokenAt } from "../../tokens.ts";
import { drawsOf } from "../example-draws.ts";
import { examples } from "../options.ts";
import { type Fact, factsOf } from "./facts.ts";

export interface MultiDocExample extends Example {
  readonly prompt: string;
  /** Each document's text, in the order of the prompt, which holds every one once. */
  readonly documents: readonly string[];
}

/** The index of the prompt's token with which each document begins, and of the one after the last document. */
export function documentBounds(tokenizer: Tokenizer, { prompt, documents }: MultiDocExample): readonly number[] {
  const starts = documents.map((text) => prompt.indexOf(text));
  const end = (starts.at(-1) ?? 0) + (documents.at(-1)?.length ?? 0);
  return [...starts, end].map((at) => tokenAt(tokenizer, prompt, at));
}

const NAME = "multi-doc-qa";
const OPENING = "Answer the question with what the following documents say.";
/** Room for two words, and for what leads to them. */
const ANSWER = 12;
const counts = "a list of integers from 2 to 200";

export const multiDocQa = defineTask(
  NAME,
  {
    /** How many documents prompts have. */
    documents: z.array(z.int(counts).min(2, counts).max(200, counts), counts).min(1, counts).default([5, 10]),
    hops: z.literal([1, 2], "1 or 2").default(1),
    /** For each number of documents; the answer's document goes through all places. */
    examples: examples(20),
  },
  ({ documents, hops, examples }) => ({
    maxNewTokens: ANSWER,
    stop: "never",
    *examples({ tokenizer, contextLength, seed }) {
      for (let i = 0; i < examples; i++) {
        for (const count of documents) {
          const places = drawsOf(seed, count, "places").some([...Array(count).keys()], count);
          const made = compose(drawsOf(seed, count, i), count, places[i % count] ?? 0, hops);
          const tokens = countTokens(tokenizer, made.prompt) + ANSWER;
          if (tokens > contextLength) {
            const allowed = `fewer: prompt and answer take ${tokens} tokens, and the model's context is ${contextLength}`;
            throw invalid([NAME, "documents"], count, allowed);
          }
          yield { id: `${count}/${i}`, ...made };
        }
      }
    },
    score: (answer, { answers }) => stringMatchPart(answer, answers),
  }),
);

/** @param place index of the document that holds the answer */
function compose(random: Draws, count: number, place: number, hops: 1 | 2): Omit<MultiDocExample, "id"> {
  const facts = factsOf(random, count);
  // Whose habit each document tells: in a circle, so that it is everyone's once, and never who else the document is about.
  const shift = random.integer(1, count - 1);
  const told = (i: number) => (i + shift) % count;
  const documents = facts.map((fact, i) => `Document ${i + 1}. ${documentOf(fact, at(facts, told(i)))}`);
  const { question, stem, answer } =
    hops === 2
      ? habitOfWho(at(facts, told(place)))
      : random.integer(0, 1) === 0
        ? habit(at(facts, told(place)))
        : deed(at(facts, place));
  return {
    prompt: `${OPENING}\n\n${documents.join("\n")}\n\nQuestion: ${question}\nAnswer: ${stem}`,
    answers: [answer],
    facets: { documents: count, document: place + 1, hops },
    documents,
  };
}

const documentOf = ({ building, did, person }: Fact, other: Fact): string =>
  `${capital(building)} was ${did} by ${person}. ${other.person} ${other.does} ${other.things}.`;

const deed = ({ building, did, person }: Fact) => ({
  question: `Who ${did} ${building}?`,
  stem: `${capital(building)} was ${did} by`,
  answer: person,
});

const habit = ({ person, does, things }: Fact) => ({
  question: `What does ${person} do?`,
  stem: `${person} ${does}`,
  answer: things,
});

const habitOfWho = ({ building, did, does, things }: Fact) => ({
  question: `What does the one do who ${did} ${building}?`,
  stem: `The one who ${did} ${building} ${does}`,
  answer: things,
});

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function at<T>(list: readonly T[], index: number): T {
  const [found] = list.slice(index);
  if (found === undefined) throw new RangeError(`nothing at ${index}`);
  return found;
}
