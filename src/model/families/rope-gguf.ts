/**
 * RoPE in GGUF: a base, a factor for linear scaling, and for Llama 3 the tensor `rope_freqs.weight` [headDim / 2], by which
 * each frequency is divided.
 *
 * The tensor holds what the four numbers of config.json's `llama3` scaling give, so it is turned back into them. Three are
 * the same in every Llama 3 model; the fourth, the factor, is the tensor's largest entry. A tensor that they do not
 * reproduce is refused, because guessing would give wrong positions.
 */

import { z } from "zod";
import { KvError } from "../../error.ts";
import type { Llama3RopeScaling, Rope } from "../config.ts";
import type { Weights } from "../weights/weights.ts";
import { limits, only } from "./decoder.ts";

const llama3 = { type: "llama3", lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 8192 } as const;
/** fp32's rounding, and the converter's. */
const tolerance = 1e-4;
const divisorsName = "rope_freqs.weight";

const ropeBase = z.number().positive().max(limits.ropeBase);
const factor = z.number().min(1).max(1024).optional();

/** Keys below the architecture's prefix that `ropeFromGguf` reads. */
export const ropeGguf = {
  "rope.freq_base": ropeBase.optional(),
  "rope.scaling.type": z.string().default("none"),
  "rope.scaling.factor": factor,
  "rope.scale_linear": factor,
};

type RopeFacts = z.output<z.ZodObject<typeof ropeGguf>>;

/** @throws KvError `unsupported_architecture` for YaRN, LongRoPE, and frequencies of no Llama 3 model */
export function ropeFromGguf(
  facts: RopeFacts,
  weights: Weights,
  { path, architecture }: { readonly path: string; readonly architecture: string },
): Rope {
  const theta = facts["rope.freq_base"] ?? 10_000;
  const kind = facts["rope.scaling.type"];
  only(path, `${architecture}.rope.scaling.type`, kind, "none", "linear");
  // LongRoPE's files may say so by nothing but these.
  const long = ["rope_factors_long.weight", "rope_factors_short.weight"].find((name) => weights.has(name));
  if (long !== undefined) {
    const allowed = "left out: LongRoPE is not supported";
    throw new KvError({ code: "unsupported_architecture", path: [path, long], found: "present", allowed });
  }
  // Old files have no type, only the second key.
  const linear = facts["rope.scale_linear"] ?? (kind === "linear" ? facts["rope.scaling.factor"] : 1) ?? 1;
  if (linear !== 1) return { theta, scaling: { type: "linear", factor: linear } };
  return {
    theta,
    scaling: weights.has(divisorsName) ? scalingFromDivisors(weights.read(divisorsName), theta, path) : null,
  };
}

/**
 * @param divisors [headDim / 2], one per pair of dimensions
 * @throws KvError `unsupported_architecture` when no Llama 3 scaling gives these divisors
 */
function scalingFromDivisors(divisors: Float32Array, theta: number, path: string): Llama3RopeScaling | null {
  const factor = divisors.reduce((most, divisor) => Math.max(most, divisor), 1);
  if (divisors.every((divisor) => divisor === 1)) return null;
  const scaling = { ...llama3, factor };
  const expected = divisorsOf(scaling, theta, divisors.length);
  if (divisors.every((divisor, i) => Math.abs(divisor / (expected[i] ?? 0) - 1) < tolerance)) return scaling;
  const allowed = "the frequencies of a Llama 3 model";
  throw new KvError({
    code: "unsupported_architecture",
    path: [path, divisorsName],
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
