/**
 * Turns a growing list of tokens into text that never takes back what it gave: characters split over tokens wait for their
 * rest, and what may be the beginning of a stop string waits until it is not.
 */
import type { Tokenizer } from "../model/tokenizer.ts";

export interface TextStream {
  /** Takes one more token. Gives the text that is now certain; `stopped` once a stop string is complete. */
  push(token: number): { readonly text: string; readonly stopped: boolean };
  /** What was held back, when no more tokens come. */
  flush(): string;
}

const INCOMPLETE = "\uFFFD";

/** @param stops texts at whose first occurrence the text ends, without them */
export function textStream(tokenizer: Pick<Tokenizer, "decode">, stops: readonly string[]): TextStream {
  const tokens: number[] = [];
  let settled = 0; // tokens before this are decoded for good
  let before = 0; // decoding starts here, so that a token is seen with its neighbour
  let held = "";
  let ended = false;
  const decode = (from: number, to: number) => tokenizer.decode(tokens.slice(from, to), { skipSpecialTokens: true });
  const fresh = (final: boolean): string => {
    const known = decode(before, settled);
    const all = decode(before, tokens.length);
    if (!final && all.endsWith(INCOMPLETE)) return "";
    before = settled;
    settled = tokens.length;
    return all.slice(known.length);
  };
  const release = (final: boolean) => {
    held += fresh(final);
    const cut = firstStop(held, stops);
    const end = cut >= 0 ? cut : final ? held.length : held.length - pendingLength(held, stops);
    const text = held.slice(0, end);
    ended = cut >= 0;
    held = ended ? "" : held.slice(end);
    return { text, stopped: ended };
  };
  return {
    push(token) {
      tokens.push(token);
      return release(false);
    },
    flush: () => (ended ? "" : release(true).text),
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
