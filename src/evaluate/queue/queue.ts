/**
 * Queues of jobs: a coordinator names the work, and something does it, here (`inProcess`) or on other machines (`bullQueue`, with a
 * `worker` on each). A job that fails is told of and keeps nothing from the others.
 */
import { KvError } from "../../error.ts";

/** Jobs are plain JSON: equal keys mean equal jobs, and a queue does each once. */
export interface Keyed {
  readonly key: string;
}

/** Does a job. Its outcome is plain JSON too, so that it can come from another machine. */
export type Run<Job extends Keyed, Outcome> = (job: Job, signal: AbortSignal) => Promise<Outcome>;

/** A job's end. */
export type Done<Job extends Keyed, Outcome> =
  | { readonly job: Job; readonly outcome: Outcome }
  | { readonly job: Job; readonly fault: KvError };

export interface Queue<Job extends Keyed, Outcome> {
  /**
   * Has jobs done, and gives each one's end as it comes, in no certain order.
   *
   * @param signal ends it early: what was done by then is given first
   * @throws KvError `aborted`, `queue_unreachable`
   */
  run(jobs: Jobs<Job>, signal?: AbortSignal): AsyncIterable<Done<Job, Outcome>>;
}

export type Jobs<Job> = Iterable<Job> | AsyncIterable<Job>;

/** What failed in a job, in the words of whoever did it. */
export const jobFailed = ({ key }: Keyed, why: string, cause?: unknown): KvError =>
  new KvError({ code: "job_failed", path: ["job", key], found: "failed", allowed: "done", hint: why, cause });
