/** Prompts made to measure: as long as the tokens asked for allow. */
import { KvError } from "../../error.ts";
import { invalid } from "../../options.ts";
import type { Reader } from "../task.ts";
import { countTokens } from "../tokens.ts";

/** The tokens that a prompt and its answer may take together, and who is told if they do not suffice. */
export interface Room {
  readonly task: string;
  readonly option: "length" | "lengths";
  readonly length: number;
  readonly maxNewTokens: number;
}

/** Tokens for the prompt. @throws KvError `invalid_option` where the length exceeds the model's context */
export function promptTokens({ task, option, length, maxNewTokens }: Room, { contextLength }: Reader): number {
  if (length <= contextLength) return length - maxNewTokens;
  throw invalid([task, option], length, `at most ${contextLength}, the model's context`);
}

/** @param needed tokens of the smallest prompt there is */
export function tooShort({ task, option, length, maxNewTokens }: Room, needed: number): KvError {
  const allowed = `at least ${needed + maxNewTokens}`;
  const hint = `the least prompt takes ${needed} tokens, its answer ${maxNewTokens}`;
  return new KvError({ code: "invalid_option", path: [task, option], found: length, allowed, hint });
}

/**
 * The largest size from `least` to `most` that fits, null if none does. What is larger than one that does not fit, does not fit.
 */
export function largest(fits: (size: number) => boolean, least: number, most: number): number | null {
  if (least > most || !fits(least)) return null;
  let [low, stride] = [least, 1];
  while (low + stride <= most && fits(low + stride)) {
    low += stride;
    stride *= 2;
  }
  let high = Math.min(low + stride, most + 1);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * What `compose` makes of the largest size whose prompt fits the room.
 *
 * @throws KvError `invalid_option` where not even the least does, or the length exceeds the model's context
 */
export function fitted<Draft extends { readonly prompt: string }>(
  room: Room,
  reader: Reader,
  compose: (size: number) => Draft,
  { least, most = Math.max(least, room.length) }: { readonly least: number; readonly most?: number },
): Draft {
  const tokens = promptTokens(room, reader);
  const count = (size: number) => countTokens(reader.tokenizer, compose(size).prompt);
  const size = largest((size) => count(size) <= tokens, least, most);
  if (size === null) throw tooShort(room, count(least));
  return compose(size);
}
