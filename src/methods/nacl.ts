import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { drawn } from "../scoring/drawn.ts";
import { firstBest } from "../scoring/first-best.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { windowAttention } from "../scoring/window-attention.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count, integer, share } from "./options.ts";

export interface NaclOptions {
  /** Entries kept per KV head, sinks and proxies included; > sinks + proxies. */
  readonly budget: number;
  /** Last tokens whose attention is the score, >= 1; always kept; default 8. Published as 1 % of the prompt. */
  readonly proxies?: number;
  /** First tokens, always kept, >= 0; default 4. Published as 256, for prompts of up to 128,000 tokens. */
  readonly sinks?: number;
  /** Share of what is chosen that is drawn at random, in [0, 1]; default 0.3684, the published 7 / 19. */
  readonly random?: number;
  /** An integer; other seeds draw others; default 0. */
  readonly seed?: number;
}

/**
 * NACL: the tokens that the prompt's last ones attend to, and others that each head draws at random, those more likely that are attended to
 * more; and sinks and proxies.
 *
 * @formula mean over the group of S_w[h,j], w = proxies, for the best (1 - random) (b - kept); the rest drawn with probabilities softmax of it.
 * @cost The attention of w queries, as SnapKV.
 * @memory `budget` entries per KV head; prefill holds the last w queries.
 * @helps Where the last tokens do not tell what will be needed, as chance spreads what is lost; where they do, the drawn share is wasted.
 * @see https://aclanthology.org/2024.acl-long.428
 */
export const nacl: MethodFactory<NaclOptions> = define(
  "nacl",
  {
    options: {
      proxies: count(1).default(8),
      sinks: count(0).default(4),
      random: share().default(7 / 19),
      seed: integer().default(0),
    },
  },
  ({ budget, proxies, sinks, random, seed }) => {
    const best = Math.round((1 - random) * Math.max(0, budget - sinks - proxies));
    const score = chain(windowAttention(proxies), meanOverGroup, firstBest(best, drawn(seed)));
    return { keep: firstAndLast(sinks, proxies), score: { ...score, namesHeads: true }, allocate: uniform() };
  },
);
