/**
 * What a model answers to examples under some methods: one prefill serves all methods of an example, and what many examples
 * left is decoded as one batch, which is several times as fast as one after the other.
 */
import {
  type Context,
  compress,
  generateBatch,
  type KvCache,
  KvError,
  type Method,
  type Model,
  prefill,
} from "../../src/index.ts";
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
  /**
   * Prefills the prompt without its last token and decodes that one on the compressed caches, so that all of an answer had to be
   * found in what was kept. Default true; the peers' numbers are without, and their first token is full attention's.
   */
  readonly lastOnCache?: boolean;
  /** Called with the number of examples that were answered since it was called last. */
  readonly onAnswered?: (examples: number) => void;
}

/** Caches decoded at once: what a step costs grows little up to here, and full caches of 1,000 tokens still fit in memory. */
const BATCH = 20;

/** Answers of every method to every example, in the order of the examples and in that the methods'. */
export async function ask(
  model: Model,
  examples: readonly Example[],
  methods: readonly Method[],
  options: AskOptions = {},
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const together = Math.max(1, Math.floor(BATCH / methods.length));
  for (let from = 0; from < examples.length; from += together) {
    const some = examples.slice(from, from + together);
    answers.push(...(await askTogether(model, some, methods, options)));
    options.onAnswered?.(some.length);
  }
  return answers;
}

async function askTogether(
  model: Model,
  examples: readonly Example[],
  methods: readonly Method[],
  { maxNewTokens = 10, lastOnCache = true }: AskOptions,
): Promise<readonly Answer[]> {
  using held = new DisposableStack();
  const asked: { example: Example; method: Method; cache: KvCache; last: number }[] = [];
  for (const example of examples) {
    const tokens = tokensOf(model, example);
    const last = tokens.at(-1) ?? 0;
    using context: Context = await prefill(model, lastOnCache ? tokens.subarray(0, -1) : tokens, { observe: methods });
    for (const method of methods)
      asked.push({ example, method, cache: held.use(await compress(context, method)), last });
  }
  if (lastOnCache) await model.engine.step(asked.map(({ cache, last }) => ({ token: last, cache })));
  // Nothing but the number of tokens ends an answer, so that a newline before it cannot empty it.
  const generated = await generateBatch(
    model,
    asked.map(({ cache }) => cache),
    { maxNewTokens, stopTokens: [] },
  );
  return asked.map(({ example, method }, i) => {
    const { text = "" } = generated[i] ?? {};
    return { example, method, text, right: isRight(example, text) };
  });
}

function tokensOf({ id, tokenizer }: Model, { prompt }: Example): Int32Array {
  if (tokenizer !== null) return tokenizer.encode(prompt);
  throw new KvError({ code: "tokenizer_missing", path: ["model"], found: id, allowed: "a model with a tokenizer" });
}
