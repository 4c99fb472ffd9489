/** Does a sweep's jobs with a model at hand: the same in this process and in a worker far away. */
import { KvError } from "../../error.ts";
import type { Model } from "../../load.ts";
import type { Run } from "../queue/queue.ts";
import { answer } from "./answer.ts";
import { type Made, madeFor, recordOf, type SweepMethod } from "./configuration.ts";
import { canonical } from "./hash.ts";
import type { Job, Kept, Outcome } from "./job.ts";
import { oracleTold } from "./oracle.ts";

export interface RunnerOptions {
  readonly model: Model;
  /** Those of the sweep: jobs name methods and their options, functions cannot be sent. */
  readonly methods: readonly SweepMethod[];
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
    const choices = job.kept.map((kept) => ({ key: kept.key, ...madeAs(methods, kept) }));
    return await answer(model, job.ask, choices, signal);
  };
}

/** The method of this name with these options, and its policy; what is told the answer need not be among the sweep's. */
function madeAs(known: RunnerOptions["methods"], { method, options, evict, told }: Kept): Made {
  const wanted = canonical({ method, options, evict });
  // What keeps everything has no budget among its options, and ignores one.
  const { budget = Number.MAX_SAFE_INTEGER } = options;
  const entries = { method: Number(budget), evict: Number(evict?.options.budget) };
  for (const one of told === undefined ? known : [oracleTold(told)]) {
    const made = unlessRefused(() => madeFor(one, entries));
    if (made !== null && canonical(recordOf(made)) === wanted) return made;
  }
  const allowed = "a method of the sweep with the same options";
  throw new KvError({ code: "invalid_option", path: ["worker", "methods"], found: wanted, allowed });
}

/** A factory that cannot do with a budget is another's than the one that was asked for. */
function unlessRefused(make: () => Made): Made | null {
  try {
    return make();
  } catch (fault) {
    if (fault instanceof KvError) return null;
    throw fault;
  }
}
