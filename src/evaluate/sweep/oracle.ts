/** The oracle in a sweep: told what each example's answer is, as the model would write it after the prompt. */
import type { MethodFactory } from "../../methods/method.ts";
import { oracle } from "../../methods/oracle.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Example, Task } from "../task.ts";
import type { Budget } from "./budget.ts";
import { type Configuration, configurations } from "./configuration.ts";
import type { Ask } from "./job.ts";

/** The oracle of one example. Its records are the same for all: an answer beside every result would make each another method. */
export const oracleTold =
  (answer: readonly number[]): MethodFactory =>
  ({ budget }) => {
    const method = oracle({ budget, answer });
    const options = Object.fromEntries(Object.entries(method.options).filter(([name]) => name !== "answer"));
    return { ...method, options };
  };

/** The oracle of one example at every budget, for a prompt of `length` tokens. */
export const oracles = (
  answer: readonly number[],
  budgets: readonly Budget[],
  length: number,
): readonly Configuration[] =>
  configurations([oracleTold(answer)], budgets, length).map((one) => ({ ...one, told: answer }));

/** The tokens that are decoded on a compressed cache where the answer is right: the prompt's last one first, if it is among them. */
export function replyOf(
  tokenizer: Tokenizer,
  { maxNewTokens }: Task,
  { answers: [first = ""], reply }: Example,
  { prompt, lastOnCache }: Ask,
): readonly number[] {
  const end = prompt.slice(-1);
  const blank = /\s$/.test(tokenizer.decode(Int32Array.from(end))) ? "" : " ";
  const tokens = tokenizer.encode(reply ?? blank + first, { addSpecialTokens: false });
  return [...(lastOnCache ? end : []), ...tokens.subarray(0, Math.max(1, maxNewTokens))];
}
