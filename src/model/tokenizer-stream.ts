/** Decoding tokens as they come: text that will not change any more, as soon as it is certain. */

import type { Tokenizer } from "./tokenizer.ts";

export interface TokenStream {
  /** The text that `token` completes; empty while a character lacks bytes. */
  push(token: number): string;
  /** What is left; incomplete characters become U+FFFD. */
  end(): string;
}

/** A character has at most four bytes; more tokens than this that end in none are not one. */
const maxHeld = 16;

/**
 * A decoder whose pieces, joined, are `tokenizer.decode` of all tokens.
 *
 * Each piece is decoded after the one before it, because some tokenizers drop the blank at the start of a text.
 */
export function streamDecoder(
  tokenizer: Tokenizer,
  options: { readonly skipSpecialTokens?: boolean } = {},
): TokenStream {
  let before: number[] = [];
  let held: number[] = [];

  const flush = (certain: boolean): string => {
    const known = tokenizer.decode(before, options);
    const text = tokenizer.decode([...before, ...held], options);
    if (!certain && text.endsWith("\uFFFD") && held.length < maxHeld) return "";
    before = held;
    held = [];
    return text.slice(known.length);
  };

  return {
    push(token) {
      held.push(token);
      return flush(false);
    },
    end: () => (held.length === 0 ? "" : flush(true)),
  };
}
