import { uniform } from "../allocation/uniform.ts";
import { define } from "./define.ts";
import { firstAndLast, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface StreamingLLMOptions {
  /** Tokens kept, sinks included; > sinks. */
  readonly budget: number;
  /** First tokens kept as attention sinks; default 4. */
  readonly sinks?: number;
}

/**
 * StreamingLLM at prefill: the first `sinks` tokens and the last `budget - sinks`.
 *
 * @formula j < 4, and n-b+4 <= j < n.
 * @cost None.
 * @memory Exactly the budget. Prefill holds nothing more.
 * @helps Fluent text of any length: the sinks keep attention in order. What stood in the middle of the prompt is gone, whatever is asked.
 * @see https://arxiv.org/abs/2309.17453
 */
export const streamingLLM: MethodFactory<StreamingLLMOptions> = define(
  "streamingllm",
  { options: { sinks: count(0).default(4) }, budgetAbove: "sinks" },
  ({ budget, sinks }) => ({ keep: firstAndLast(sinks, budget - sinks), score: null, allocate: uniform() }),
);
