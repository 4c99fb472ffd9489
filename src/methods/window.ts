import { uniform } from "../allocation/uniform.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";

export interface WindowOptions {
  /** Tokens kept, the last of the prompt; >= 1. */
  readonly budget: number;
}

/** Window attention: the last `budget` tokens. @see https://arxiv.org/abs/2004.05150 */
export const window: MethodFactory<WindowOptions> = define("window", { options: {} }, ({ budget }) => ({
  keep: lastTokens(budget),
  score: null,
  allocate: uniform(),
}));
