/** Questions to put into one of six categories, after many that were: the examples say what the categories mean. */

import { type Draws, draws } from "../../src/evaluate/draws.ts";
import type { Tokenizer } from "../../src/index.ts";
import type { Example } from "./example.ts";

export interface FewShotOptions {
  /** Tokens of the prompt, about: never more. */
  readonly length: number;
  readonly count: number;
}

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

/** The prompts end before the colon, so that the label is the second token of an answer. */
export function fewShot(tokenizer: Tokenizer, { length, count }: FewShotOptions): Example[] {
  const random = draws(length);
  // The categories in turn, each round in another order, so that an end of any length is balanced.
  const round = () =>
    random.some(CATEGORIES, CATEGORIES.length).map(([label, templates]) => ({
      label,
      question: `Question: ${random.of(templates)(random)} ?\nCategory`,
    }));
  return Array.from({ length: count }, (_, i): Example => {
    const [asked = { label: "", question: "" }] = round();
    const prompt = (shots: readonly string[]) => [OPENING, ...shots, asked.question].join("\n\n");
    const shots: string[] = [];
    for (;;) {
      for (const { label, question } of round()) {
        shots.push(`${question}: ${label}`);
        if (tokenizer.encode(prompt(shots)).length <= length) continue;
        const fitting = prompt(shots.slice(0, -1));
        return {
          id: `few-shot-${length}-${i}`,
          prompt: fitting,
          answers: [asked.label],
          metric: "contains_first_colon",
        };
      }
    }
  });
}
