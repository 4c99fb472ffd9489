/**
 * Questions to be put into one of six categories, after as many that were as fit: the examples say what the categories mean, as for
 * TREC (https://aclanthology.org/C02-1150) in LongBench. The prompt ends a token early, before the colon, so that the label is not an
 * answer's first token.
 */
import type { Draws } from "../draws.ts";
import { firstLabel } from "../metrics/first-label.ts";
import { defineTask } from "../task.ts";
import { drawsOf } from "./example-draws.ts";
import { examples, lengths } from "./options.ts";
import { fitted } from "./room.ts";

const cities = ["Oslo", "Lima", "Cairo", "Dublin", "Hanoi", "Geneva", "Boston", "Lisbon", "Nairobi", "Quito"] as const;
const people = ["Anna Weaver", "John Mason", "Clara Stone", "Peter Marsh", "Ruth Baker", "Henry Field"] as const;
const things = ["lantern", "compass", "violin", "kettle", "barrel", "ladder", "candle", "bridge", "wheel"] as const;
const foods = ["bread", "soup", "honey", "rice", "apples", "cheese", "fish"] as const;
const animals = ["dog", "horse", "goat", "parrot", "turtle", "rabbit"] as const;

type Template = (random: Draws) => string;
const CATEGORIES: readonly (readonly [label: string, templates: readonly [Template, ...Template[]]])[] = [
  [
    "Number",
    [
      (r) => `How many ${r.of(things)}s are sold in ${r.of(cities)} each year`,
      (r) => `How much does a ${r.of(animals)} weigh`,
      (r) => `How far is ${r.of(cities)} from the sea`,
    ],
  ],
  ["Date", [(r) => `When was the ${r.of(things)} invented`, (r) => `What year was ${r.of(people)} born`]],
  ["Definition", [(r) => `What is meant by a ${r.of(things)}`, (r) => `What does the word ${r.of(things)} mean`]],
  [
    "Animal",
    [(r) => `What animal eats ${r.of(foods)}`, (r) => `What breed of ${r.of(animals)} lives in ${r.of(cities)}`],
  ],
  ["Person", [(r) => `Who invented the ${r.of(things)}`, (r) => `Who was the first mayor of ${r.of(cities)}`]],
  ["Location", [(r) => `Where was ${r.of(people)} born`, (r) => `Where can I find the best ${r.of(foods)}`]],
];
const OPENING = "Classify each question into a category.";

interface Asked {
  readonly label: string;
  readonly question: string;
}

/** A question of every category, in random order. */
const round = (random: Draws): readonly Asked[] =>
  random.some(CATEGORIES, CATEGORIES.length).map(([label, templates]) => ({
    label,
    question: `Question: ${random.of(templates)(random)} ?\nCategory`,
  }));

/** Categories in turn, each round in another order, so that an end of any length is balanced; never the question that is asked. */
function shots(random: Draws, count: number, asked: string): readonly Asked[] {
  const all: Asked[] = [];
  while (all.length < count) all.push(...round(random).filter(({ question }) => question !== asked));
  return all.slice(0, count);
}

/** Room for a colon and a label, and for what would make it wrong. */
const ANSWER = 8;

export const fewShot = defineTask(
  "few-shot",
  { lengths: lengths(500, 1000), examples: examples(24) },
  ({ lengths, examples }) => ({
    maxNewTokens: ANSWER,
    stop: "never",
    *examples(reader) {
      for (let i = 0; i < examples; i++) {
        for (const length of lengths) {
          const turn = drawsOf(reader.seed, "round", Math.floor(i / CATEGORIES.length));
          const { label, question } = round(turn)[i % CATEGORIES.length] ?? { label: "", question: "" };
          const compose = (count: number) => {
            const before = shots(drawsOf(reader.seed, i), count, question);
            return {
              prompt: [OPENING, ...before.map((shot) => `${shot.question}: ${shot.label}`), question].join("\n\n"),
            };
          };
          const room = { task: "few-shot", option: "lengths", length, maxNewTokens: ANSWER } as const;
          const { prompt } = fitted(room, reader, compose, { least: CATEGORIES.length });
          const facets = { length, category: label };
          yield { id: `${length}/${i}`, prompt, answers: [label], reply: `: ${label}`, facets };
        }
      }
    },
    score: (answer, { answers }) => firstLabel(answer, answers),
  }),
);
