/** Facts of our own among sentences of Moby-Dick: one to find, or one of several that are alike. */

import { draws } from "../../src/evaluate/draws.ts";
import type { Tokenizer } from "../../src/index.ts";
import type { Example } from "./example.ts";
import { fill, sentences } from "./haystack.ts";

export interface NeedleOptions {
  /** Tokens of the prompt, about: never more. */
  readonly length: number;
  readonly count: number;
  /** Facts about other places, spread over the text; default 0. */
  readonly others?: number;
}

// biome-ignore format: a list
const PLACES = [
  "Amsterdam", "Athens", "Bergen", "Berlin", "Bogota", "Boston", "Cairo", "Chicago", "Dakar", "Dublin", "Geneva", "Hanoi",
  "Havana", "Istanbul", "Lima", "Lisbon", "London", "Madrid", "Mumbai", "Nairobi", "Oslo", "Paris", "Quito", "Tokyo",
];
const OPENING = "Some special magic numbers are hidden in the following text. Memorize them.";

const fact = (place: string, number: string) => `The special magic number for ${place} is ${number}.`;

/** Examples whose facts lie at depths from the text's beginning to its end, in turn; a five-digit number each. */
export function needle(tokenizer: Tokenizer, { length, count, others = 0 }: NeedleOptions): Example[] {
  const stride = Math.floor(sentences().length / count);
  const random = draws(1000 * length + others);
  return Array.from({ length: count }, (_, i): Example => {
    const [place = "", ...rest] = random.some(PLACES, 1 + others);
    const number = () => String(random.integer(10_000, 99_999));
    const answer = number();
    const question =
      `Question: What is the special magic number for ${place} mentioned in the text?\n` +
      `Answer: The special magic number for ${place} is`;
    const facts = [
      { depth: count === 1 ? 0.5 : i / (count - 1), text: fact(place, answer) },
      ...rest.map((other, k) => ({ depth: (k + 0.5) / others, text: fact(other, number()) })),
    ];
    const fixed = [OPENING, question, ...facts.map(({ text }) => text)].join("\n\n");
    const text = fill(tokenizer, i * stride, length - tokenizer.encode(fixed).length);
    const hay = Array.from({ length: text.length + 1 }, (_, at) => [
      ...facts.filter(({ depth }) => Math.round(depth * text.length) === at).map((one) => one.text),
      ...text.slice(at, at + 1),
    ]);
    const name = others === 0 ? "needle" : `needle-of-${others + 1}`;
    return {
      id: `${name}-${length}-${i}`,
      prompt: `${OPENING}\n\n${hay.flat().join(" ")}\n\n${question}`,
      answers: [answer],
      metric: "startswith_num",
    };
  });
}
