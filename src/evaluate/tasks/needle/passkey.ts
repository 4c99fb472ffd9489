/** Magic numbers of places: five digits each, all different. */
import type { Draws } from "../../draws.ts";
import { PLACES, type Riddle } from "./riddle.ts";

export interface PasskeyOptions {
  /** Places that have numbers. */
  readonly keys: number;
  /** Numbers of each. */
  readonly values: number;
  /** Places that are asked about. */
  readonly queries: number;
}

export function passkey(random: Draws, { keys, values, queries }: PasskeyOptions): Riddle {
  const numbers = different(random, keys * values);
  const places = random.some(PLACES, keys).map((name, i) => ({
    name,
    numbers: numbers.slice(i * values, (i + 1) * values),
  }));
  const facts = (some: typeof places) =>
    some.flatMap(({ name, numbers }) => numbers.map((number) => `${subject(name, values)} is ${number}.`));
  const asked = places.slice(0, queries);
  const answers = asked.flatMap(({ numbers }) => numbers);
  const [first = "", ...rest] = facts(asked);
  return {
    opening: "Some special magic numbers are hidden in the following text. Memorize them.",
    asked: [first, ...rest],
    others: facts(places.slice(queries)),
    question: question(asked.map(({ name }) => name).join(", "), queries * values > 1),
    answers,
    reply: ` ${answers.join(", ")}`,
  };
}

const subject = (place: string, values: number) =>
  values === 1 ? `The special magic number for ${place}` : `One of the special magic numbers for ${place}`;

function question(places: string, many: boolean): string {
  const [is, number] = many ? ["are all", "numbers"] : ["is", "number"];
  return (
    `Question: What ${is} the special magic ${number} for ${places} mentioned in the text?\n` +
    `Answer: The special magic ${number} for ${places} ${many ? "are" : "is"}`
  );
}

function different(random: Draws, count: number): string[] {
  const numbers = new Set<string>();
  while (numbers.size < count) numbers.add(String(random.integer(10_000, 99_999)));
  return [...numbers];
}
