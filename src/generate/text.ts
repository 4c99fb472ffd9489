/** Text of a growing list of tokens, up to a stop string; it never takes back what it gave. */

import { KvError } from "../error.ts";
import { streamDecoder } from "../model/tokenizer/stream.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";

export interface TextStream {
  /** Takes one more token. Gives the text that is now certain. */
  push(token: number): TextPiece;
  /** What was held back, when no more tokens come. */
  end(): TextPiece;
}

export interface TextPiece {
  readonly text: string;
  /** A stop string is complete, and the text at its end. */
  readonly stopped: boolean;
  /** Nothing is held back: all text of the tokens so far was given. */
  readonly settled: boolean;
}

/**
 * @param stops the text ends before the one that is complete first (of several at once, the longest), wherever tokens are cut;
 *   what may be the beginning of one is held back
 */
export function textStream(tokenizer: Tokenizer, stops: readonly string[]): TextStream {
  const decoder = streamDecoder(tokenizer, { skipSpecialTokens: true });
  let held = "";
  const release = (fresh: string, holding: boolean): TextPiece => {
    const text = held + fresh;
    const stop = firstStop(text, stops);
    if (stop >= 0) {
      held = "";
      return { text: text.slice(0, stop), stopped: true, settled: true };
    }
    const certain = text.length - (holding ? pendingLength(text, stops) : 0);
    held = text.slice(certain);
    return { text: text.slice(0, certain), stopped: false, settled: fresh !== "" && held === "" };
  };
  return {
    push: (token) => release(decoder.push(token), true),
    end: () => release(decoder.end(), false),
  };
}

/** For a model without tokenizer: no text, and none to stop at. @throws KvError `tokenizer_missing` where there is one to stop at */
export function noText(stops: readonly string[]): TextStream {
  if (stops.length > 0) {
    throw new KvError({
      code: "tokenizer_missing",
      path: ["generate", "stopStrings"],
      found: stops,
      allowed: "[] for a model without tokenizer",
    });
  }
  const nothing = { text: "", stopped: false, settled: true };
  return { push: () => nothing, end: () => nothing };
}

/** Where the stop string begins that is complete first, read character by character; -1 if there is none. */
function firstStop(text: string, stops: readonly string[]): number {
  let first = { start: -1, end: Number.POSITIVE_INFINITY };
  for (const stop of stops) {
    const start = text.indexOf(stop);
    const end = start + stop.length;
    if (start >= 0 && (end < first.end || (end === first.end && start < first.start))) first = { start, end };
  }
  return first.start;
}

/** Length of the longest end of `text` that begins a stop string. */
function pendingLength(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}
