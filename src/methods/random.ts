import { uniform } from "../allocation/uniform.ts";
import { randomDraws } from "../scoring/random-draws.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { seed } from "./options.ts";

export interface RandomOptions {
  /** Entries kept per KV head; >= 1. */
  readonly budget: number;
  /** Of the draws, a safe integer; default 0. */
  readonly seed?: number;
}

/**
 * Random: entries by lot, other ones in every layer and head. What any method must beat.
 *
 * @formula score[h,j] = a number in [0, 1) drawn for the seed, the layer, the KV head h and the position j.
 * @cost None beyond prefill.
 * @memory The budget; prefill holds the prompt's cache and nothing for it.
 * @helps As a baseline: a method that does no better has learned nothing from its scores.
 * @see https://github.com/NVIDIA/kvpress
 */
export const random: MethodFactory<RandomOptions> = define("random", { options: { seed: seed() } }, ({ seed }) => ({
  keep: lastTokens(0),
  score: randomDraws(seed),
  allocate: uniform(),
}));
