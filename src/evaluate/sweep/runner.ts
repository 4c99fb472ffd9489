/** Does a sweep's jobs with a model at hand: the same in this process and in a worker far away. */
import { KvError } from "../../error.ts";
import type { Model } from "../../load.ts";
import type { Method, MethodFactory } from "../../methods/method.ts";
import type { Run } from "../queue/queue.ts";
import { answer } from "./answer.ts";
import { canonical } from "./hash.ts";
import type { Job, Kept, Outcome } from "./job.ts";
import { oracleTold } from "./oracle.ts";

export interface RunnerOptions {
  readonly model: Model;
  /** Those of the sweep: jobs name methods and their options, functions cannot be sent. */
  readonly methods: readonly (Method | MethodFactory)[];
}

/**
 * A function that does a sweep's jobs, for `worker({ run })`.
 *
 * @returns it throws KvError `wrong_model` for a job of another model, `invalid_option` for a method that is not among these, and as `prefill`,
 *   `compress` and `generateBatch` do
 */
export function sweepRunner({ model, methods }: RunnerOptions): Run<Job, Outcome> {
  return async (job, signal) => {
    const { weights, engine, precision } = await model.provenance();
    const [found, allowed] = [{ weights, engine, precision }, job.model].map(canonical);
    if (found !== allowed)
      throw new KvError({ code: "wrong_model", path: ["worker", "model"], found, allowed: `${allowed}, the sweep's` });
    const choices = job.kept.map((kept) => ({ key: kept.key, method: methodOf(methods, kept) }));
    return await answer(model, job.ask, choices, signal);
  };
}

/** The method of this name with these options; what is told the answer need not be among the sweep's. */
function methodOf(known: RunnerOptions["methods"], { method: name, options, told }: Kept): Method {
  const methods = told === undefined ? known : [oracleTold(told)];
  const wanted = canonical(options);
  // What keeps everything has no budget among its options, and ignores one.
  const { budget = Number.MAX_SAFE_INTEGER } = options;
  for (const method of methods) {
    const made = typeof method === "function" ? method({ budget: Number(budget) }) : method;
    if (made.name === name && canonical(made.options) === wanted) return made;
  }
  const allowed = "a method of the sweep with the same options";
  throw new KvError({ code: "invalid_option", path: ["worker", "methods"], found: `${name} ${wanted}`, allowed });
}
