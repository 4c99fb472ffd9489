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
 * @see https://arxiv.org/abs/2401.06104
 */
export const tova: MethodFactory = define("tova", { options: {} }, () => ({
  keep: lastTokens(1),
  score: chain(windowAttention(1), meanOverHeads),
  allocate: uniform(),
}));
