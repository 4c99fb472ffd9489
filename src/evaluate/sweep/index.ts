/**
 * A sweep asks every method at every budget, with what evicts while it answers, the examples of every task. Each example is prefilled once, all its answers are decoded as one
 * batch, and its results are stored before the next begins: an interruption loses at most the example at work, and the same sweep started
 * again computes only what is missing.
 */
import { throwIfAborted } from "../../abort.ts";
import type { KvError } from "../../error.ts";
import type { Provenance } from "../../load.ts";
import { checked } from "../../options.ts";
import { inProcess } from "../queue/in-process.ts";
import { shardOf } from "../queue/shard.ts";
import type { Result } from "../result.ts";
import type { Store } from "../store/store.ts";
import { checkBudget } from "./budget.ts";
import { recordOf } from "./configuration.ts";
import { hashOf } from "./hash.ts";
import type { Job, Outcome } from "./job.ts";
import { type SweepOptions, schema } from "./options.ts";
import { type Planned, plan } from "./plan.ts";
import { sweepRunner } from "./runner.ts";

export type { Budget } from "./budget.ts";
export type { MethodAndPolicy, SweepMethod } from "./configuration.ts";
export type { SweepOptions, SweepProgress } from "./options.ts";

/**
 * Asks, example by example. Every result of the sweep comes: first those that the store has, as they were stored, then new ones once they
 * are stored; each in the order of tasks, seeds, examples and methods, unless a queue's workers are done otherwise.
 *
 * An example that fails keeps nothing from the others: its fault is thrown at the end.
 *
 * @throws KvError `invalid_option`, `budget_too_small`, `prompt_too_long` and what tasks throw before anything is computed;
 *   `aborted`, `disk_error`, `queue_unreachable`, `job_failed` with all earlier results stored
 */
export async function* sweep(options: SweepOptions): AsyncGenerator<Result, void> {
  const { model, store, shard, signal, onProgress, ...own } = checked(schema, options, "sweep");
  const budgets = own.budgets.map((budget, i) => checkBudget(budget, ["sweep", "budgets", i]));
  const provenance = await model.provenance();
  const all = await plan(model, provenance, { ...own, budgets });
  const planned = all.filter(({ id }) => shard === undefined || shardOf(id, shard.count) === shard.index);
  const there = await stored(planned, store);
  for (const { choices } of planned)
    for (const { key } of choices) {
      const result = there.get(key);
      if (result !== undefined) yield result;
    }
  const missing = new Map<string, Planned>();
  const jobs: Job[] = [];
  for (const one of planned) {
    const choices = one.choices.filter(({ key }) => !there.has(key));
    if (choices.length === 0) continue;
    const job = jobOf({ ...one, choices }, provenance);
    missing.set(job.key, { ...one, choices });
    jobs.push(job);
  }
  const queue = own.queue ?? inProcess(sweepRunner({ model, methods: own.methods }));
  const faults: KvError[] = [];
  let done = 0;
  onProgress?.({ done, total: jobs.length, example: null });
  for await (const end of queue.run(jobs, signal)) {
    const one = missing.get(end.job.key);
    if (one === undefined) continue;
    const results = "outcome" in end ? resultsOf(one, end.outcome, provenance) : [];
    if ("fault" in end) faults.push(end.fault);
    await store?.append(results);
    done++;
    onProgress?.({ done, total: jobs.length, example: { task: one.task.name, id: one.example.id } });
    yield* results;
  }
  throwIfAborted(signal, ["sweep", "signal"]);
  const [fault] = faults;
  if (fault !== undefined) throw fault;
}

function jobOf({ ask, choices }: Planned, { weights, engine, precision }: Provenance): Job {
  const kept = choices.map((one) => ({
    key: one.key,
    ...recordOf(one),
    budget: one.budget,
    ...(one.told === undefined ? {} : { told: one.told }),
  }));
  const job = { model: { weights, engine, precision }, ask, kept };
  return { key: hashOf(job), ...job };
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
  return choices.flatMap((choice) => {
    const { key, name, budget } = choice;
    const { options, evict } = recordOf(choice);
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
      method: name,
      methodOptions: evict === undefined ? options : { ...options, evict },
      budget,
      answer: text,
      score: task.score(text, example),
      prefillMs,
      decodeMs,
      provenance,
    };
  });
}
