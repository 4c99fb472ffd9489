/** Decoding tokens as they come: text that will not change any more, as soon as it is certain. */

import type { Tokenizer } from "./tokenizer.ts";

export interface TokenStream {
  /** The text that `token` completes; empty while a character lacks bytes. */
  push(token: number): string;
  /** What is left; incomplete characters become U+FFFD. */
  end(): string;
}

/** A character has at most four bytes: of more tokens than this, all but the last U+FFFD are certain. */
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
  /** How much of the text of `before` was given: all but an open character at its end. */
  let given = 0;

  const flush = (certain: boolean): string => {
    const text = tokenizer.decode([...before, ...held], options);
    const open = !certain && text.endsWith("\uFFFD") ? 1 : 0;
    if (open && held.length < maxHeld) return "";
    const fresh = text.slice(given, text.length - open);
    // Tokens without text, such as special ones left out, must not make the next piece look like the start of a text.
    if (fresh !== "" || open) before = held;
    else if (given === 0) before = [...before, ...held];
    held = [];
    given = Math.max(0, tokenizer.decode(before, options).length - open);
    return fresh;
  };

  return {
    push(token) {
      held.push(token);
      return flush(false);
    },
    end: () => flush(true),
  };
}
