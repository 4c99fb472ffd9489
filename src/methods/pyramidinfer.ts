import { layerDecay } from "../allocation/layer-decay.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverHeads } from "../scoring/group.ts";
import { protect } from "../scoring/protect.ts";
import { recentAttention } from "../scoring/recent-attention.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { above, count, positiveShare } from "./options.ts";

export interface PyramidInferOptions {
  /** Entries kept per KV head, window included; > window. */
  readonly budget: number;
  /** Last tokens, whose attention is the score; always kept; default 8 (the published code: a fifth of the prompt). */
  readonly window?: number;
  /** First tokens, kept before all others that are chosen; default 4. */
  readonly sinks?: number;
  /** What the top layer passes on of what it has, in (0, 1]; default 0.9. */
  readonly decay?: number;
  /** What the last query counts where the first of the window counts 1, > 0; default 1.2. */
  readonly weight?: number;
}

/**
 * PyramidInfer: the tokens that the last ones attend to, by the mean over all heads of a layer, later ones weighing more; each layer
 * keeps a share of what the one below does.
 *
 * @formula score_j = mean over h and i = n-w .. n-1 of c_i A[h,i,j], c from 1 to 1.2, the first 4 above all; layer l+1 keeps r_l of
 *   what layer l does, r_l = 0.9 + 0.1 (1 + cos(pi l / L)) / 2, scaled to the budget.
 * @cost Attention of w queries to n keys in every layer.
 * @memory Exactly the budget; all heads of a layer hold the same tokens. Prefill holds the last w queries.
 * @helps Where low layers need more, as PyramidKV, by a curve in place of a line. As published it prunes while it prefills, so that
 *   higher layers never compute what lower ones dropped, and saves time; here prefill is exact, and every layer chooses for itself.
 * @see https://arxiv.org/abs/2405.12532
 */
export const pyramidInfer: MethodFactory<PyramidInferOptions> = define(
  "pyramidinfer",
  {
    options: {
      window: count(1).default(8),
      sinks: count(0).default(4),
      decay: positiveShare().default(0.9),
      weight: above(0).default(1.2),
    },
    budgetAbove: "window",
  },
  ({ window, sinks, decay, weight }) => ({
    keep: lastTokens(window),
    score: chain(recentAttention({ window, weight }), meanOverHeads, protect(Array(sinks).keys())),
    allocate: layerDecay({ decay }),
  }),
);
