import { z } from "zod";
import { throwIfAborted } from "../../abort.ts";
import { KvError } from "../../error.ts";
import { reason } from "../../model/source/faults.ts";
import { checked } from "../../options.ts";
import { type Done, type Jobs, jobFailed, type Keyed, type Queue, type Run } from "./queue.ts";

export interface InProcessOptions {
  /** Jobs at once; default 1. */
  readonly concurrency?: number;
}

const optionShape = z.object({ concurrency: z.int("an integer >= 1").min(1, "an integer >= 1").default(1) });

/**
 * The queue that needs nothing: jobs are done in this process, in their order.
 *
 * Whoever stops listening, or aborts, waits for the jobs at work, which are told by their signal.
 *
 * @throws KvError `invalid_option`
 */
export function inProcess<Job extends Keyed, Outcome>(
  run: Run<Job, Outcome>,
  options: InProcessOptions = {},
): Queue<Job, Outcome> {
  const { concurrency } = checked(optionShape, options, "inProcess");
  return {
    async *run(jobs, signal) {
      const left = new AbortController();
      const stop = signal === undefined ? left.signal : AbortSignal.any([left.signal, signal]);
      const working = new Map<Job, Promise<Done<Job, Outcome>>>();
      const source = iterate(jobs);
      let isMore = true;
      try {
        while (true) {
          while (isMore && working.size < concurrency && !stop.aborted) {
            const next = await source.next();
            if (next.done) isMore = false;
            else working.set(next.value, settled(run, next.value, stop));
          }
          if (working.size === 0) break;
          const done = await Promise.race(working.values());
          working.delete(done.job);
          if ("outcome" in done || !stop.aborted) yield done;
        }
        throwIfAborted(signal, ["queue", "signal"]);
      } finally {
        left.abort();
        await Promise.all(working.values());
        await source.return?.();
      }
    },
  };
}

async function settled<Job extends Keyed, Outcome>(
  run: Run<Job, Outcome>,
  job: Job,
  signal: AbortSignal,
): Promise<Done<Job, Outcome>> {
  try {
    return { job, outcome: await run(job, signal) };
  } catch (thrown) {
    return { job, fault: thrown instanceof KvError ? thrown : jobFailed(job, reason(thrown), thrown) };
  }
}

const iterate = <T>(jobs: Jobs<T>): Iterator<T> | AsyncIterator<T> =>
  Symbol.asyncIterator in jobs ? jobs[Symbol.asyncIterator]() : jobs[Symbol.iterator]();
