/** Text of a growing list of tokens, up to a stop string; it never takes back what it gave. */

import type { Tokenizer } from "../model/tokenizer.ts";
import { streamDecoder } from "../model/tokenizer-stream.ts";

export interface TextStream {
  /** Takes one more token. Gives the text that is now certain; `stopped` once a stop string is complete. */
  push(token: number): { readonly text: string; readonly stopped: boolean };
  /** What was held back, when no more tokens come. */
  end(): { readonly text: string; readonly stopped: boolean };
}

/** @param stops texts at whose first occurrence the text ends, without them; what may be the beginning of one is held back */
export function textStream(tokenizer: Tokenizer, stops: readonly string[]): TextStream {
  const decoder = streamDecoder(tokenizer, { skipSpecialTokens: true });
  let held = "";
  const release = (fresh: string, holding: boolean) => {
    const text = held + fresh;
    const stop = firstStop(text, stops);
    if (stop >= 0) {
      held = "";
      return { text: text.slice(0, stop), stopped: true };
    }
    const certain = text.length - (holding ? pendingLength(text, stops) : 0);
    held = text.slice(certain);
    return { text: text.slice(0, certain), stopped: false };
  };
  return {
    push: (token) => release(decoder.push(token), true),
    end: () => release(decoder.end(), false),
  };
}

function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
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
