import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { meanOverHeads } from "../scoring/group.ts";
import { windowAttention } from "../scoring/window-attention.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";

/**
 * TOVA at prefill: the tokens that the last one attends to, by the mean over all query heads of a layer, the same for every KV head;
 * and the last token itself.
 *
 * @formula score_j = mean over all H of A[h,n-1,j]; the b-1 highest, and the last token.
 * @cost Attention of one query to n keys in every layer.
 * @memory Exactly the budget; all heads of a layer keep the same tokens. Prefill holds the last query.
 * @helps Where the last token of the prompt already looks for the answer: the mean over heads is less noisy than any of them. One query
 *   sees little of a longer question.
 * @see https://arxiv.org/abs/2401.06104
 */
export const tova: MethodFactory = define("tova", { options: {} }, () => ({
  keep: lastTokens(1),
  score: chain(windowAttention(1), meanOverHeads),
  allocate: uniform(),
}));
