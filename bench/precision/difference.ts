/** How far logits are from those they should be, position by position. */
import { argmax } from "../../src/tensor.ts";

export interface Difference {
  readonly positions: number;
  /** Root of the mean square of the logits' differences, over positions and vocabulary. */
  readonly rms: number;
  /** KL divergence from the reference, nats: mean and 99th percentile over the positions. */
  readonly kl: number;
  readonly kl99: number;
  /** Share of positions at which both favour the same token. */
  readonly agreement: number;
}

/** Root of the mean square of a - b. */
export const rms = (a: Float32Array, b: Float32Array): number => Math.sqrt(squares(a, b) / a.length);

/**
 * KL divergence of the next token's distributions, sum of p log(p / q), in nats. Adding a constant to all logits of either
 * changes nothing. Infinite where the other excludes a token that the reference does not.
 *
 * @param reference logits of p: [vocab]
 * @param other logits of q: [vocab]
 */
export function klDivergence(reference: Float32Array, other: Float32Array): number {
  const [p, q] = [logSumExp(reference), logSumExp(other)];
  let sum = 0;
  for (let token = 0; token < reference.length; token++) {
    const likelihood = (reference[token] ?? 0) - p; // its logarithm
    const probability = Math.exp(likelihood);
    if (probability > 0) sum += probability * (likelihood - ((other[token] ?? 0) - q));
  }
  return Math.max(0, sum); // rounding may leave a trace below
}

/** The smallest number that at least `share` of the numbers do not exceed. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Adds up positions one by one. */
export class Differences {
  readonly #vocabSize: number;
  readonly #divergences: number[] = [];
  #squares = 0;
  #agreed = 0;

  constructor(vocabSize: number) {
    this.#vocabSize = vocabSize;
  }

  /** Any number of positions: [positions, vocab] each. */
  add(reference: Float32Array, other: Float32Array): void {
    const size = this.#vocabSize;
    for (let from = 0; from < reference.length; from += size) {
      const [a, b] = [reference.subarray(from, from + size), other.subarray(from, from + size)];
      this.#squares += squares(a, b);
      this.#divergences.push(klDivergence(a, b));
      if (argmax(a) === argmax(b)) this.#agreed++;
    }
  }

  summary(): Difference {
    const positions = this.#divergences.length;
    return {
      positions,
      rms: Math.sqrt(this.#squares / (positions * this.#vocabSize)),
      kl: this.#divergences.reduce((sum, kl) => sum + kl, 0) / positions,
      kl99: percentile(this.#divergences, 0.99),
      agreement: this.#agreed / positions,
    };
  }
}

function squares(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? Number.NaN)) ** 2;
  return sum;
}

function logSumExp(logits: Float32Array): number {
  const most = logits[argmax(logits)] ?? 0;
  let sum = 0;
  for (let token = 0; token < logits.length; token++) sum += Math.exp((logits[token] ?? 0) - most);
  return most + Math.log(sum);
}
