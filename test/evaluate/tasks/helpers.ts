/** Readers for tasks: tokenizers whose tokens are pieces of words, with or without a token that begins every text. */
import type { Reader } from "../../../src/evaluate/task.ts";
import type { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";

const START = "<s>";

/** A token is a piece of a word of at most `letters` letters, with the space before it. */
export function pieces(letters: number, start = false): Tokenizer {
  const known: string[] = [START];
  const ids = new Map([[START, 0]]);
  const pattern = new RegExp(` ?\\S{1,${letters}}|\\s`, "g");
  const idOf = (piece: string) => {
    const id = ids.get(piece) ?? known.push(piece) - 1;
    ids.set(piece, id);
    return id;
  };
  return {
    encode: (text) => Int32Array.from([...(start ? [START] : []), ...(text.match(pattern) ?? [])], idOf),
    decode: (tokens) => Array.from(tokens, (token) => known[token] ?? "").join(""),
    chat: () => "",
  };
}

export const readerOf = (tokenizer: Tokenizer, more: Partial<Reader> = {}): Reader => ({
  tokenizer,
  contextLength: 8192,
  seed: 1,
  ...more,
});

/** How many times a text holds another. */
export const times = (text: string, part: string): number => text.split(part).length - 1;
