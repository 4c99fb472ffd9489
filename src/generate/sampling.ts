/** From logits to a token: greedy, or drawn at a temperature from the most likely ones. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Sampling } from "../engine/index.ts";
import { argmax } from "../tensor.ts";
import { leading } from "./leading.ts";

export interface SamplingOptions extends Sampling {
  /** Equal seeds draw equal tokens from equal logits. */
  readonly seed: number;
}

/** A stream of numbers in [0, 1), one for each token that is drawn; greedy sampling draws none. */
export function drawsFor({ temperature, seed }: Pick<SamplingOptions, "temperature" | "seed">): () => number {
  if (temperature === 0) return () => 0;
  const random = xoroshiro128plus(seed);
  return () => uniformFloat64(random);
}

/**
 * The token at the share `at` of what is likely enough, in the order of the tokens. Greedy sampling takes the lower token of equal logits.
 * A token whose logit is -Infinity or NaN is never drawn, unless there is no other.
 */
export function sampled(logits: Float32Array, { temperature, topK, topP }: Sampling, at: number): number {
  const best = argmax(logits);
  if (temperature === 0) return best;
  const top = logits[best] ?? 0;
  const likely = candidates(logits, topK);
  const mass = new Float64Array(logits.length);
  for (const token of likely) mass[token] = Math.exp(((logits[token] ?? 0) - top) / temperature);
  const kept = topP < 1 ? leading(likely, logits, mass, topP * sum(likely, mass)) : likely;
  return draw(inOrder(kept, logits.length), mass, at, best);
}

/** Possible tokens, the `topK` most likely of them if there is such a limit. */
function candidates(logits: Float32Array, topK: number): readonly number[] {
  const possible: number[] = [];
  for (let token = 0; token < logits.length; token++) {
    if ((logits[token] ?? 0) > Number.NEGATIVE_INFINITY) possible.push(token);
  }
  if (topK === 0 || topK >= possible.length) return possible;
  return leading(possible, logits, new Float64Array(logits.length).fill(1), topK);
}

/** Ascending, without a sort: engines that draw on a device go through the tokens in this order, too. */
function inOrder(tokens: readonly number[], vocabSize: number): readonly number[] {
  const isKept = new Uint8Array(vocabSize);
  for (const token of tokens) isKept[token] = 1;
  const ordered: number[] = [];
  for (let token = 0; token < vocabSize; token++) if (isKept[token] === 1) ordered.push(token);
  return ordered;
}

/** The token at the share `at`, in [0, 1), of the mass; `best` for what rounding leaves, and where an infinite logit makes it NaN. */
function draw(tokens: readonly number[], mass: Float64Array, at: number, best: number): number {
  let left = at * sum(tokens, mass);
  for (const token of tokens) {
    left -= mass[token] ?? 0;
    if (left < 0) return token;
  }
  return best;
}

function sum(tokens: readonly number[], mass: Float64Array): number {
  let total = 0;
  for (const token of tokens) total += mass[token] ?? 0;
  return total;
}
