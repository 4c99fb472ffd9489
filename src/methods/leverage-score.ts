import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { keyLeverage } from "../scoring/key-leverage.ts";
import { standardise } from "../scoring/standardise.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count, seed } from "./options.ts";

export interface LeverageScoreOptions {
  /** Entries kept per KV head; >= 1. */
  readonly budget: number;
  /** Channels that keys are shortened to at random before; >= 1, default 48. A head's channels or more: exact leverage. */
  readonly sketch?: number;
  /** Of the random matrix, a safe integer; default 0. */
  readonly seed?: number;
}

export const leverageOptions = { sketch: count(1).default(48), seed: seed() };

/**
 * Leverage scores: the entries whose keys before RoPE no others can stand in for, outliers among them.
 *
 * @formula with x[j] = (k[j] before RoPE, less their mean) P, P a random d x 48 matrix, and X of rows x[j]:
 *   score[j] = z of x[j] (X' X + 0.01)^-1 x[j]'; z: less the layer's mean, divided by its standard deviation.
 * @cost Three products of all keys with 48 channels, and a 48 x 48 factor a head: 3 % of prefill at n = 2000, 4 % at 1000, 6 % at 500
 *   (2026-11).
 * @memory The budget; prefill holds the prompt's cache and nothing for it.
 * @helps Rare tokens such as numbers and names, whatever is asked; says nothing of what a question needs.
 * @see https://arxiv.org/abs/2507.08143
 */
export const leverageScore: MethodFactory<LeverageScoreOptions> = define(
  "leverage",
  { options: leverageOptions },
  (options) => ({ keep: lastTokens(0), score: chain(keyLeverage(options), standardise), allocate: uniform() }),
);
