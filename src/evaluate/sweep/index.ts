/**
 * A sweep asks every method at every budget the examples of every task. Each example is prefilled once, all its answers are decoded as one
 * batch, and its results are stored before the next begins: an interruption loses at most the example at work, and the same sweep started
 * again computes only what is missing.
 */
import { z } from "zod";
import { throwIfAborted } from "../../abort.ts";
import type { Model, Provenance } from "../../load.ts";
import type { Method, MethodFactory } from "../../methods/method.ts";
import { callbackOption, checked, signalOption } from "../../options.ts";
import type { Result } from "../result.ts";
import type { Store } from "../store/store.ts";
import type { Task } from "../task.ts";
import { answer } from "./answer.ts";
import { type Budget, checkBudget } from "./budget.ts";
import type { Outcome } from "./job.ts";
import { type Planned, plan } from "./plan.ts";

export type { Budget } from "./budget.ts";

export interface SweepOptions {
  readonly model: Model;
  readonly tasks: readonly Task[];
  /** Factories are asked for every budget (`snapKV`); methods that are made have their own (`full()`, `snapKV({ budget: 100 })`). */
  readonly methods: readonly (Method | MethodFactory)[];
  /** Entries per KV head on average (128), or a share of each prompt ("25%"); default [64, 128, 256]. */
  readonly budgets?: readonly Budget[] | undefined;
  /** Each makes other examples of the tasks that are generated; default [0]. */
  readonly seeds?: readonly number[] | undefined;
  /** Where results go as they come, and which of them are there already; default: nowhere. */
  readonly store?: Store | undefined;
  /**
   * Decodes each prompt's last token on the compressed caches, so that all of an answer had to be found in what was kept. Default true;
   * the peers' numbers are without, and the first token of their answers is full attention's.
   */
  readonly lastOnCache?: boolean | undefined;
  /** Also measures attention recall and output error per layer, which takes about half as long as prefill; default false. */
  readonly fidelity?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called before the first example and after each with how many are done, of those that are not all in the store. */
  readonly onProgress?: ((progress: SweepProgress) => void) | undefined;
}

export interface SweepProgress {
  readonly done: number;
  readonly total: number;
  /** The example that is done; null before the first. */
  readonly example: { readonly task: string; readonly id: string } | null;
}

const list = <T>(allowed: string, is: (value: unknown) => value is T) =>
  z.array(z.custom<T>(is, allowed), `a list, each ${allowed}`).min(1, `a list with at least one, each ${allowed}`);
const has = (value: unknown, name: string) => typeof value === "object" && value !== null && name in value;
const isTask = (value: unknown): value is Task => has(value, "examples");
const isMethod = (value: unknown): value is Method | MethodFactory =>
  typeof value === "function" || has(value, "allocate");

const schema = z.object({
  model: z.custom<Model>((value) => has(value, "engine"), "a loaded model"),
  tasks: list("a task such as needle()", isTask),
  methods: list("a method such as full() or a factory such as snapKV", isMethod),
  budgets: z.array(z.unknown(), "a list of budgets").default([64, 128, 256]),
  seeds: z.array(z.int("an integer"), "a list of integers").min(1, "a list of at least one integer").default([0]),
  store: z.custom<Store>((value) => has(value, "append"), "a store from openStore").optional(),
  lastOnCache: z.boolean("true or false").default(true),
  fidelity: z.boolean("true or false").default(false),
  signal: signalOption,
  onProgress: callbackOption<(progress: SweepProgress) => void>(),
});

/**
 * Asks, example by example. Every result of the sweep comes, in the order of tasks, seeds, examples and methods: those that the store
 * has as they were stored, new ones once they are.
 *
 * @throws KvError `invalid_option`, `budget_too_small`, `prompt_too_long` and what tasks throw before anything is computed;
 *   `aborted` and `disk_error` with all earlier results stored
 */
export async function* sweep(options: SweepOptions): AsyncGenerator<Result, void> {
  const { model, store, signal, onProgress, ...own } = checked(schema, options, "sweep");
  const budgets = own.budgets.map((budget, i) => checkBudget(budget, ["sweep", "budgets", i]));
  const provenance = await model.provenance();
  const planned = await plan(model, provenance, { ...own, budgets });
  const there = await stored(planned, store);
  const total = planned.filter(({ choices }) => choices.some(({ key }) => !there.has(key))).length;
  let done = 0;
  onProgress?.({ done, total, example: null });
  for (const { choices, ...one } of planned) {
    const missing = choices.filter(({ key }) => !there.has(key));
    if (missing.length > 0) {
      throwIfAborted(signal, ["sweep", "signal"]);
      const outcome = await answer(model, one.ask, missing, signal);
      const results = resultsOf({ ...one, choices: missing }, outcome, provenance);
      await store?.append(results);
      for (const result of results) there.set(result.key, result);
      done++;
      onProgress?.({ done, total, example: { task: one.task.name, id: one.example.id } });
    }
    for (const { key } of choices) {
      const result = there.get(key);
      if (result !== undefined) yield result;
      there.delete(key);
    }
  }
}

/** What the store has of the sweep, by key. */
async function stored(planned: readonly Planned[], store: Store | undefined): Promise<Map<string, Result>> {
  const found = new Map<string, Result>();
  if (store === undefined) return found;
  const keys = new Set(planned.flatMap(({ choices }) => choices.map(({ key }) => key)));
  for await (const result of store.results()) if (keys.has(result.key)) found.set(result.key, result);
  return found;
}

/** An outcome with what it answers, scored. */
function resultsOf({ task, seed, example, ask, choices }: Planned, outcome: Outcome, provenance: Provenance): Result[] {
  const { answers, prefillMs, decodeMs } = outcome;
  const byKey = new Map(answers.map((one) => [one.key, one]));
  return choices.flatMap(({ key, method, budget }) => {
    const answered = byKey.get(key);
    if (answered === undefined) return [];
    const { text, ...measured } = answered;
    return {
      ...measured,
      task: task.name,
      taskOptions: task.options,
      seed,
      example: example.id,
      facets: example.facets,
      promptTokens: ask.prompt.length,
      method: method.name,
      methodOptions: method.options,
      budget,
      answer: text,
      score: task.score(text, example),
      prefillMs,
      decodeMs,
      provenance,
    };
  });
}
