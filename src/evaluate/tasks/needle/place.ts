/**
 * Hides a needle at a depth of a haystack that fills the room, between two sentences that follow each other in it: words are taken from
 * there backwards and forwards, so that only the text's outer ends are cut.
 */
import { invalid } from "../../../options.ts";
import type { Reader } from "../../task.ts";
import { countTokens } from "../../tokens.ts";
import { largest, promptTokens, type Room, tooShort } from "../room.ts";
import type { Riddle } from "./riddle.ts";

export interface Word {
  readonly text: string;
  readonly opensSentence: boolean;
}

export const wordsOf = (sentences: readonly string[]): readonly Word[] =>
  sentences.flatMap((sentence) => sentence.split(" ").map((text, i) => ({ text, opensSentence: i === 0 })));

export interface Place {
  readonly haystack: readonly Word[];
  /** The word before which the needle goes. The haystack goes round. */
  readonly at: number;
  /** Share of the text's tokens before the needle; the other needles count as text, and are spread evenly over it. */
  readonly depth: number;
}

/** Tokens of text below which there is no haystack to speak of; nor is there below those of the other needles. */
const LEAST = 32;
/** Words tried, one after the other, for the last tokens of room. */
const TRIED = 40;

/**
 * @returns the prompt
 * @throws KvError `invalid_option` where the room is too short or too long, or the haystack too short
 */
export function hide({ opening, asked, others, question }: Riddle, place: Place, room: Room, reader: Reader): string {
  const [needle, ...more] = asked;
  const { haystack, at, depth } = place;
  const wordAt = (i: number) => haystack.at((at + i) % haystack.length) ?? { text: "", opensSentence: false };
  const spread = [...more, ...others].map((text, i, { length }) => ({ text, share: (i + 0.5) / length }));
  const count = (...parts: readonly string[]) => countTokens(reader.tokenizer, parts.join("\n\n"));

  const tokens = promptTokens(room, reader);
  const frame = count(opening, needle, question);
  const facts = count(opening, [needle, ...more, ...others].join(" "), question) - frame;
  const least = frame + facts + Math.max(LEAST, facts);
  if (tokens < least) throw tooShort(room, least);

  const above = spread.filter(({ share }) => share < depth).map((fact) => ({ ...fact, share: fact.share / depth }));
  const before = (words: readonly Word[]) => [...scattered(words.toReversed(), above), needle].join(" ");
  const text = tokens - frame;
  const front = count(opening, needle) + Math.round(depth * text);
  const head = taken(
    (i) => wordAt(-1 - i),
    depth === 0 ? 0 : text,
    (words) => front - count(opening, before(words)),
  );

  const below = spread
    .filter(({ share }) => share >= depth)
    .map((fact) => ({ ...fact, share: (fact.share - depth) / (1 - depth) }));
  const context = (words: readonly Word[]) => [before(head), ...scattered(words, below)].join(" ");
  const tail = taken(wordAt, depth === 1 ? 0 : text, (words) => tokens - count(opening, context(words), question));

  const words = head.length + tail.length;
  if (words <= haystack.length) return [opening, context(tail), question].join("\n\n");
  throw invalid([room.task, "haystack"], `a text of ${haystack.length} words`, `one of at least ${words}`);
}

/** As many words as leave no less than nothing to spare; then, for what is left, those of the next that still fit. */
function taken(wordAt: (i: number) => Word, most: number, spare: (words: readonly Word[]) => number): readonly Word[] {
  const first = (size: number) => Array.from({ length: size }, (_, i) => wordAt(i));
  const size = largest((size) => spare(first(size)) >= 0, 0, most) ?? 0;
  let words = first(size);
  for (let i = size; i < Math.min(size + TRIED, most) && spare(words) > 0; i++) {
    const more = [...words, wordAt(i)];
    if (spare(more) >= 0) words = more;
  }
  return words;
}

/** The words' texts, with facts in between: each before the first sentence after its share of the words. */
function scattered(words: readonly Word[], facts: readonly { text: string; share: number }[]): readonly string[] {
  const places = facts.map(({ text, share }) => {
    const from = Math.round(share * words.length);
    const next = words.findIndex(({ opensSentence }, i) => i >= from && opensSentence);
    return { text, at: next === -1 ? words.length : next };
  });
  const here = (at: number) => places.filter((place) => place.at === at).map(({ text }) => text);
  return [...words.flatMap(({ text }, i) => [...here(i), text]), ...here(words.length)];
}
