/** What a caller may say about a sweep. */
import { z } from "zod";
import { isPolicy } from "../../decoding/policy.ts";
import type { Model } from "../../load.ts";
import { callbackOption, signalOption } from "../../options.ts";
import type { Queue } from "../queue/queue.ts";
import type { Shard } from "../queue/shard.ts";
import type { Store } from "../store/store.ts";
import type { Task } from "../task.ts";
import type { Budget } from "./budget.ts";
import type { SweepMethod } from "./configuration.ts";
import type { Job, Outcome } from "./job.ts";

export interface SweepOptions {
  readonly model: Model;
  readonly tasks: readonly Task[];
  /**
   * Factories are asked for every budget (`snapKV`); methods that are made have their own (`full()`, `snapKV({ budget: 100 })`). With what
   * evicts while answers are decoded, likewise a factory or made: `{ method: h2o, evict: heavyHitters }`; default: nothing does. Both
   * factories of a pair are asked for the same entries, a share being of the prompt.
   */
  readonly methods: readonly SweepMethod[];
  /** Entries per KV head on average (128), or a share of each prompt ("25%"); default [64, 128, 256]. */
  readonly budgets?: readonly Budget[] | undefined;
  /** Each makes other examples of the tasks that are generated; default [0]. */
  readonly seeds?: readonly number[] | undefined;
  /** Computes one of so many equal parts of the examples, such as `parseShard("2/5")`; stores of all parts can be merged. */
  readonly shard?: Shard | undefined;
  /** Who does the work: default this process; `bullQueue` for workers on other machines, each with `sweepRunner`. */
  readonly queue?: Queue<Job, Outcome> | undefined;
  /** Where results go as they come, and which of them are there already; default: nowhere. */
  readonly store?: Store | undefined;
  /**
   * Decodes each prompt's last token on the compressed caches, so that all of an answer had to be found in what was kept. Default true;
   * the peers' numbers are without, and the first token of their answers is full attention's.
   */
  readonly lastOnCache?: boolean | undefined;
  /**
   * Also asks the oracle at every budget: what each example's true answer would look at, told in advance. No method can be expected to do
   * better where answers are copied; default false.
   */
  readonly oracle?: boolean | undefined;
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
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
const has = (value: unknown, name: string) => isRecord(value) && name in value;
const isTask = (value: unknown): value is Task => has(value, "examples");
const isMethod = (value: unknown) => typeof value === "function" || has(value, "allocate");
const isSweepMethod = (value: unknown): value is SweepMethod =>
  isMethod(value) || (isRecord(value) && isMethod(value.method) && isPolicyOrFactory(value.evict));
const isPolicyOrFactory = (value: unknown) => typeof value === "function" || isPolicy(value);

export const schema = z.object({
  model: z.custom<Model>((value) => has(value, "engine"), "a loaded model"),
  tasks: list("a task such as needle()", isTask),
  methods: list(
    "a method such as full(), a factory such as snapKV, or { method: snapKV, evict: streamingWindow }",
    isSweepMethod,
  ),
  budgets: z.array(z.unknown(), "a list of budgets").default([64, 128, 256]),
  seeds: z.array(z.int("an integer"), "a list of integers").min(1, "a list of at least one integer").default([0]),
  shard: z
    .custom<Shard>((value) => has(value, "index") && has(value, "count"), 'a shard such as parseShard("2/5")')
    .optional(),
  queue: z.custom<Queue<Job, Outcome>>((value) => has(value, "run"), "a queue such as bullQueue").optional(),
  store: z.custom<Store>((value) => has(value, "append"), "a store from openStore").optional(),
  lastOnCache: z.boolean("true or false").default(true),
  oracle: z.boolean("true or false").default(false),
  fidelity: z.boolean("true or false").default(false),
  signal: signalOption,
  onProgress: callbackOption<(progress: SweepProgress) => void>(),
});
