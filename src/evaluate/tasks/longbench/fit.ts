/** Prompts cut in the middle, so that both what comes first and what is asked last stay. */
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { invalid } from "../../../options.ts";
import type { Reader } from "../../task.ts";

export interface Room {
  /** Tokens of a prompt before the chat template. */
  readonly maxLength: number;
  /** Tokens of a prompt with it. */
  readonly room: number;
}

/**
 * The room for prompts beside an answer.
 *
 * @param asked null for all the room there is
 * @throws KvError `invalid_option` where so many tokens and an answer do not fit the context
 */
export function roomFor(
  task: string,
  asked: number | null,
  maxNewTokens: number,
  { contextLength }: Pick<Reader, "contextLength">,
): Room {
  const room = contextLength - maxNewTokens;
  const maxLength = asked ?? room;
  if (maxLength >= 2 && maxLength <= room) return { maxLength, room };
  const allowed = `2 to ${room} tokens: ${maxNewTokens} of the context's ${contextLength} are the answer's`;
  throw invalid([task, "maxLength"], maxLength, allowed);
}

/**
 * The text, or, where it has more than `limit` tokens, the text of its first and of its last `limit / 2` (rounded down): LongBench's cut.
 * Special tokens, such as the one that begins a text, are counted and then left out.
 */
export function cutMiddle(tokenizer: Tokenizer, text: string, limit: number, tokens = tokenizer.encode(text)): string {
  if (tokens.length <= limit) return text;
  const half = Math.floor(limit / 2);
  const decode = (part: Int32Array) => tokenizer.decode(part, { skipSpecialTokens: true });
  return decode(tokens.subarray(0, half)) + decode(tokens.subarray(tokens.length - half));
}

/**
 * The tokens of a prompt, cut to `maxLength` before the chat template is put around it.
 *
 * Where the template, or how the halves' text is read again, then takes more than the room, more is cut: a prompt is never too long.
 *
 * @param chat whether it becomes the user's turn of a conversation
 * @throws KvError `template_failed` where there is no chat template, `invalid_option` where the template alone takes all the room
 */
export function promptTokens(
  task: string,
  text: string,
  tokenizer: Tokenizer,
  { maxLength, room }: Room,
  chat: boolean,
): Int32Array {
  const whole = tokenizer.encode(text);
  for (let limit = maxLength; limit >= 2; ) {
    const cut = cutMiddle(tokenizer, text, limit, whole);
    const tokens = tokenizer.encode(chat ? tokenizer.chat([{ role: "user", content: cut }]) : cut);
    if (tokens.length <= room) return tokens;
    const tried = Math.min(limit, whole.length);
    // By no more than half: text that is read again as more tokens than it was shrinks faster than its tokens are counted off.
    limit = Math.max(tried - (tokens.length - room), Math.floor(tried / 2));
  }
  throw invalid([task, "maxLength"], maxLength, "fewer tokens: the chat template leaves no room for a prompt");
}
