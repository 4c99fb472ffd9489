import { uniform } from "../allocation/uniform.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";

export interface WindowOptions {
  /** Tokens kept, the last of the prompt; >= 1. */
  readonly budget: number;
}

/**
 * Window attention: the last `budget` tokens.
 *
 * @formula n-b <= j < n.
 * @cost None.
 * @memory Exactly the budget. Prefill holds nothing more.
 * @helps As a floor to measure against, and where only the end of a prompt matters. Without the first tokens, which attract attention
 *   whatever they say, many models break down.
 * @see https://arxiv.org/abs/2004.05150
 */
export const window: MethodFactory<WindowOptions> = define("window", { options: {} }, ({ budget }) => ({
  keep: lastTokens(budget),
  score: null,
  allocate: uniform(),
}));
