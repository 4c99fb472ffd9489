/** From logits to a token: greedy, or drawn at a temperature from the most likely ones. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { argmax } from "../tensor.ts";
import { leading } from "./leading.ts";

export interface SamplingOptions {
  /** 0 takes the most likely token; higher is more even. */
  readonly temperature: number;
  /** Draw from this many of the most likely tokens only; 0 sets no limit. */
  readonly topK: number;
  /** Draw from the fewest most likely tokens whose probabilities, after topK, reach this sum; 1 sets no limit. */
  readonly topP: number;
  /** Equal seeds draw equal tokens from equal logits. */
  readonly seed: number;
}

export type Sampler = (logits: Float32Array) => number;

/**
 * A sampler with its own stream of random numbers. Greedy sampling takes the lower token of equal logits.
 * A token whose logit is -Infinity or NaN is never drawn, unless there is no other.
 */
export function sampler({ temperature, topK, topP, seed }: SamplingOptions): Sampler {
  if (temperature === 0) return argmax;
  const random = xoroshiro128plus(seed);
  return (logits) => {
    const best = argmax(logits);
    const top = logits[best] ?? 0;
    const likely = candidates(logits, topK);
    const mass = new Float64Array(logits.length);
    for (const token of likely) mass[token] = Math.exp(((logits[token] ?? 0) - top) / temperature);
    const kept = topP < 1 ? leading(likely, logits, mass, topP * sum(likely, mass)) : likely;
    return draw(kept, mass, uniformFloat64(random), best);
  };
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
