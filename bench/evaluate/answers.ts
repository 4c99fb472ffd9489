/** What a model answers to examples under some methods: a sweep, with the examples as its task. */
import { sweep, type Task } from "../../src/evaluate/index.ts";
import type { Method, Model } from "../../src/index.ts";
import { type Example, isRight } from "./example.ts";

export interface Answer {
  readonly example: Example;
  readonly method: Method;
  readonly text: string;
  readonly right: boolean;
}

export interface AskOptions {
  /** Room for a five-digit number, or a colon and a label, and for what would make either wrong. Default 10. */
  readonly maxNewTokens?: number;
  /** As of `sweep`; default true. */
  readonly lastOnCache?: boolean;
  /** Called with the number of examples that were answered since it was called last. */
  readonly onAnswered?: (examples: number) => void;
}

/** Answers of every method to every example, in the order of the examples and in that the methods'. */
export async function ask(
  model: Model,
  examples: readonly Example[],
  methods: readonly Method[],
  { maxNewTokens = 10, lastOnCache = true, onAnswered }: AskOptions = {},
): Promise<readonly Answer[]> {
  const task: Task = {
    name: "examples",
    options: {},
    maxNewTokens,
    // Nothing but the number of tokens ends an answer, so that a newline before it cannot empty it.
    stop: "never",
    examples: () => examples.map(({ id, prompt, answers }) => ({ id, prompt, answers, facets: {} })),
    score: () => 0,
  };
  const onProgress = ({ done }: { readonly done: number }) => (done === 0 ? undefined : onAnswered?.(1));
  const results = await Array.fromAsync(sweep({ model, tasks: [task], methods, lastOnCache, onProgress }));
  return examples.flatMap((example, i) =>
    methods.map((method, k): Answer => {
      const text = results[i * methods.length + k]?.answer ?? "";
      return { example, method, text, right: isRight(example, text) };
    }),
  );
}
