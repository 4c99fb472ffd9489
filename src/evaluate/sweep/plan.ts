/** All that a sweep will ask, before anything is computed: so what cannot work is refused at once. */
import { KvError } from "../../error.ts";
import type { Model, Provenance } from "../../load.ts";
import { tokensOf } from "../../prompt.ts";
import type { Example, Task } from "../task.ts";
import type { Budget } from "./budget.ts";
import { type Configuration, configurations, type SweepMethod } from "./configuration.ts";
import { hashOf } from "./hash.ts";
import type { Ask } from "./job.ts";
import { keysOf } from "./key.ts";
import { oracles, replyOf } from "./oracle.ts";

/** A configuration, and the key of its result. */
export interface Choice extends Configuration {
  readonly key: string;
}

/** One example for all configurations. */
export interface Planned {
  /** Of the example, whoever answers it. */
  readonly id: string;
  readonly task: Task;
  readonly seed: number;
  readonly example: Example;
  readonly ask: Ask;
  readonly choices: readonly Choice[];
}

export interface PlanOptions {
  readonly tasks: readonly Task[];
  readonly methods: readonly SweepMethod[];
  readonly budgets: readonly Budget[];
  readonly seeds: readonly number[];
  readonly lastOnCache: boolean;
  readonly fidelity: boolean;
  readonly oracle: boolean;
}

/**
 * Every example of every task and seed, tasks in turn.
 *
 * @throws KvError `tokenizer_missing`, `prompt_too_long` where prompt and answer exceed the context, `budget_too_small`, and what tasks throw
 */
export async function plan(model: Model, provenance: Provenance, options: PlanOptions): Promise<readonly Planned[]> {
  const { tokenizer, config, id } = model;
  if (tokenizer === null)
    throw new KvError({ code: "tokenizer_missing", path: ["model"], found: id, allowed: "a model with a tokenizer" });
  const planned: Planned[] = [];
  for (const task of options.tasks)
    for (const seed of options.seeds)
      for await (const example of task.examples({ tokenizer, contextLength: config.contextLength, seed })) {
        const ask = askOf(model, task, example, options);
        const identity = { task: task.name, seed, example: example.id, answers: example.answers };
        const held = ask.prompt.length - (ask.lastOnCache ? 1 : 0);
        const all = [
          ...configurations(options.methods, options.budgets, held),
          ...(options.oracle ? oracles(replyOf(tokenizer, task, example, ask), options.budgets, held) : []),
        ];
        const keys = keysOf(provenance, identity, ask, all);
        planned.push({
          id: hashOf(identity),
          task,
          seed,
          example,
          ask,
          choices: all.map((one, i) => ({ ...one, key: keys[i] ?? "" })),
        });
      }
  return planned;
}

function askOf(model: Model, task: Task, example: Example, { lastOnCache, fidelity }: PlanOptions): Ask {
  const prompt = tokensOf(model, example.prompt);
  const { maxNewTokens, minNewTokens = 0 } = task;
  const { contextLength } = model.config;
  if (prompt.length + maxNewTokens > contextLength)
    throw new KvError({
      code: "prompt_too_long",
      path: [task.name, example.id],
      found: `${prompt.length} tokens and ${maxNewTokens} of an answer`,
      allowed: `at most the model's context of ${contextLength}`,
    });
  const stopTokens = stopsOf(model, task);
  // Of a prompt of one token there would be nothing left to prefill.
  const last = lastOnCache && prompt.length > 1;
  return { prompt: [...prompt], maxNewTokens, minNewTokens, stopTokens, lastOnCache: last, fidelity };
}

function stopsOf({ config, tokenizer }: Model, { stop }: Task): readonly number[] {
  if (stop === "never") return [];
  if (stop === "model") return config.eosTokens;
  const newline = tokenizer?.encode("\n", { addSpecialTokens: false }).at(-1);
  return newline === undefined ? config.eosTokens : [...config.eosTokens, newline];
}
