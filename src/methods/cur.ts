import { uniform } from "../allocation/uniform.ts";
import { type LeverageOf, localLeverage } from "../scoring/local-leverage.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count, oneOf, seed } from "./options.ts";

export interface CUROptions {
  /** Entries kept per KV head, sinks included; > sinks. */
  readonly budget: number;
  /** First tokens, always kept; >= 0, default 4. */
  readonly sinks?: number;
  /** Whose leverage counts: "product" of keys' and values', their "mean", "key" or "value"; default product. */
  readonly of?: LeverageOf;
  /** Neighbours among which squared lengths are shares; >= 0, 0 for the whole prompt; default 16. */
  readonly local?: number;
  /** Channels that keys and values are shortened to at random before; >= 0, default 0: not at all. */
  readonly sketch?: number;
  /** Of the random matrix, a safe integer; default 0. */
  readonly seed?: number;
}

/**
 * CurDKV: the entries whose keys and values are both long beside their neighbours', as a CUR decomposition would choose them.
 *
 * @formula share(x)[j] = |x[j]|^2 / sum over the 16 neighbours of j (from 16 i to 16 i + 15) of |x|^2;
 *   score[j] = share(k)[j] share(v)[j], divided by the head's sum.
 * @cost Two passes over keys and values.
 * @memory The budget; prefill holds the prompt's cache and nothing for it.
 * @helps Where values differ in length, whatever is asked; says nothing of what a question needs.
 * @see https://arxiv.org/abs/2509.15038
 */
export const cur: MethodFactory<CUROptions> = define(
  "cur",
  {
    options: {
      sinks: count(0).default(4),
      of: oneOf("product", "mean", "key", "value").default("product"),
      local: count(0).default(16),
      sketch: count(0).default(0),
      seed: seed(),
    },
    budgetAbove: "sinks",
  },
  ({ sinks, of, local, sketch, seed }) => ({
    keep: firstAndLast(sinks, 0),
    score: localLeverage({ of, local, sketch, seed }),
    allocate: uniform(),
  }),
);
