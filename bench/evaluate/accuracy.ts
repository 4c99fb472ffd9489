/** How many examples each method at each budget answers rightly. */
import { asPublished, full, h2o, type Method, type Model, pyramidKV, snapKV, streamingLLM } from "../../src/index.ts";
import { type Answer, type AskOptions, ask } from "./answers.ts";
import type { Example } from "./example.ts";

const { kvcacheFactory, kvpress } = asPublished;
const makers = {
  streamingllm: streamingLLM,
  h2o,
  snapkv: snapKV,
  pyramidkv: pyramidKV,
  "kvcache-factory/pyramidkv": kvcacheFactory.pyramidKV,
  "kvpress/snapkv, window 8": ({ budget }: { budget: number }) => kvpress.snapKV({ budget, window: 8 }),
};

export interface AccuracyRow {
  readonly method: string;
  /** Infinite where everything is kept. */
  readonly budget: number;
  readonly right: number;
  readonly of: number;
  readonly answers: readonly Answer[];
}

/** Full attention first, then the methods one after the other, each at all budgets. */
export async function accuracies(
  model: Model,
  examples: readonly Example[],
  budgets: readonly number[],
  options: AskOptions = {},
): Promise<readonly AccuracyRow[]> {
  const named: readonly (readonly [name: string, method: Method])[] = [
    ["full", full()],
    ...Object.entries(makers).flatMap(([name, make]) => budgets.map((budget) => [name, make({ budget })] as const)),
  ];
  const methods = named.map(([, method]) => method);
  const all = await ask(model, examples, methods, options);
  return named.map(([name, method]) => {
    const answers = all.filter((answer) => answer.method === method);
    const right = answers.filter((answer) => answer.right).length;
    return { method: name, budget: method.budget, right, of: answers.length, answers };
  });
}
