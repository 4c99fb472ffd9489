/** Texts measured in tokens. */
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";

export const countTokens = (tokenizer: Tokenizer, text: string): number => tokenizer.encode(text).length;

/**
 * The index of the first token that is not only of the text before a character: where a document begins, say. Exact where the
 * tokenizer splits there, as it does at the beginnings of words and lines.
 *
 * @param at index of the character
 */
export function tokenAt(tokenizer: Tokenizer, text: string, at: number): number {
  const [all, before] = [tokenizer.encode(text), tokenizer.encode(text.slice(0, at))];
  const other = before.findIndex((token, i) => token !== all[i]);
  return other === -1 ? before.length : other;
}
