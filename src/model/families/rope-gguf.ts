/**
 * RoPE in GGUF: a base, and for Llama 3 the tensor `rope_freqs.weight` [headDim / 2], by which each frequency is divided.
 *
 * The tensor holds what the four numbers of config.json's `llama3` scaling give, so it is turned back into them. Three are
 * the same in every Llama 3 model; the fourth, the factor, is the tensor's largest entry. A tensor that they do not
 * reproduce is refused, because guessing would give wrong positions.
 */

import { KvError } from "../../error.ts";
import type { Llama3RopeScaling } from "../config.ts";

const llama3 = { type: "llama3", lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 8192 } as const;
/** fp32's rounding, and the converter's. */
const tolerance = 1e-4;

/**
 * @param divisors [headDim / 2], one per pair of dimensions
 * @throws KvError `unsupported_architecture` when no Llama 3 scaling gives these divisors
 */
export function scalingFromDivisors(divisors: Float32Array, theta: number, path: string): Llama3RopeScaling | null {
  const factor = divisors.reduce((most, divisor) => Math.max(most, divisor), 1);
  if (divisors.every((divisor) => divisor === 1)) return null;
  const scaling = { ...llama3, factor };
  const expected = divisorsOf(scaling, theta, divisors.length);
  if (divisors.every((divisor, i) => Math.abs(divisor / (expected[i] ?? 0) - 1) < tolerance)) return scaling;
  const allowed = "the frequencies of a Llama 3 model";
  throw new KvError({
    code: "unsupported_architecture",
    path: [path, "rope_freqs.weight"],
    found: Array.from(divisors),
    allowed,
  });
}

/** What llama3 scaling divides each of `pairs` frequencies by: 1 for short waves, `factor` for long ones, a blend between. */
export function divisorsOf(scaling: Llama3RopeScaling, theta: number, pairs: number): number[] {
  const { factor, lowFreqFactor, highFreqFactor, originalContextLength } = scaling;
  return Array.from({ length: pairs }, (_, i) => {
    const turns = originalContextLength / (2 * Math.PI * theta ** (i / pairs));
    if (turns > highFreqFactor) return 1;
    if (turns < lowFreqFactor) return factor;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}
