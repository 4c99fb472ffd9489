/** From logits to a token: greedy, or drawn at a temperature from the most likely ones. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { argmax } from "../tensor.ts";

export interface SamplingOptions {
  /** 0 takes the most likely token; higher is more even. */
  readonly temperature: number;
  /** Draw from this many of the most likely tokens only; 0 sets no limit. */
  readonly topK: number;
  /** Draw from the fewest most likely tokens whose probabilities reach this sum; 1 sets no limit. */
  readonly topP: number;
  /** Equal seeds draw equal tokens from equal logits. */
  readonly seed: number;
}

export type Sampler = (logits: Float32Array) => number;

/** A sampler with its own stream of random numbers. Greedy sampling takes the lower token of equal logits. */
export function sampler({ temperature, topK, topP, seed }: SamplingOptions): Sampler {
  if (temperature === 0) return argmax;
  const random = xoroshiro128plus(seed);
  return (logits) => {
    const ranked = candidates(logits, topK);
    const top = logits[ranked[0] ?? 0] ?? 0;
    const mass = Float64Array.from(ranked, (token) => Math.exp(((logits[token] ?? 0) - top) / temperature));
    const kept = nucleus(mass, topP);
    let left = uniformFloat64(random) * sum(mass, kept);
    for (let i = 0; i < kept; i++) {
      left -= mass[i] ?? 0;
      if (left < 0) return ranked[i] ?? 0;
    }
    return ranked[kept - 1] ?? 0;
  };
}

/** Tokens by falling logit, lower token first among equals; no more than `topK`. */
function candidates(logits: Float32Array, topK: number): Int32Array {
  const order = Int32Array.from(logits, (_, token) => token).sort(
    (a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b,
  );
  return topK === 0 ? order : order.subarray(0, topK);
}

/** How many of the leading masses are needed to reach the share `topP` of all. */
function nucleus(mass: Float64Array, topP: number): number {
  if (topP >= 1) return mass.length;
  const enough = topP * sum(mass, mass.length);
  let reached = 0;
  for (let i = 0; i < mass.length; i++) {
    reached += mass[i] ?? 0;
    if (reached >= enough) return i + 1;
  }
  return mass.length;
}

function sum(mass: Float64Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += mass[i] ?? 0;
  return total;
}
