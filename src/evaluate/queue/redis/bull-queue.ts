import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Job as BullJob, Queue as BullQueue } from "bullmq";
import { throwIfAborted } from "../../../abort.ts";
import { checked } from "../../../options.ts";
import { type Done, type Jobs, jobFailed, type Keyed, type Queue } from "../queue.ts";
import { connect, type RedisOptions, redisShape } from "./connection.ts";

/** Times that a job is begun, at most: its workers may die, or meet what is no fault of the job's. */
export const ATTEMPTS = 3;

/** Between two looks for jobs that are done; they take seconds. */
const POLL_MS = 200;
/** Between two times at which what is not done is added again, which a Redis that was restarted empty needs. */
const RENEW_MS = 5_000;
const BATCH = 500;

/**
 * A queue in Redis (BullMQ), whose jobs any number of workers do, on any machines (`worker`).
 *
 * A job is there once, whoever adds it and how often, until its end was taken: asking for the next says so. A coordinator that stops
 * or dies leaves its jobs to the workers; another with the same jobs gets what was done meanwhile, and at most one end a second
 * time. (Of two at once each gets every end, but jobs may be done twice.) Jobs of workers that die are begun again by others, up to
 * 3 times in all.
 *
 * @throws KvError `invalid_option`; its `run` `queue_unreachable`, also where Redis goes away for long
 */
export function bullQueue<Job extends Keyed, Outcome>(options: RedisOptions): Queue<Job, Outcome> {
  const { redis, name, prefix } = checked(redisShape, options, "bullQueue");
  return {
    async *run(jobs, signal) {
      using connection = await connect(redis, "bullQueue");
      const queue = new BullQueue<BullJob<Job, Outcome>>(name, { connection: connection.client, prefix });
      queue.on("error", () => {}); // commands fail too, and are heard
      try {
        yield* ends(queue, await byId(jobs), signal);
      } catch (thrown) {
        throw connection.faultOf(thrown);
      } finally {
        await queue.close();
      }
    },
  };
}

async function* ends<Job extends Keyed, Outcome>(
  queue: BullQueue<BullJob<Job, Outcome>>,
  waiting: Map<string, Job>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Done<Job, Outcome>> {
  let renewed = Number.NEGATIVE_INFINITY;
  while (waiting.size > 0) {
    throwIfAborted(signal, ["queue", "signal"]);
    if (performance.now() - renewed > RENEW_MS) {
      await add(queue, waiting);
      renewed = performance.now();
    }
    const ended = await queue.getRanges(["completed", "failed"]);
    for (const id of ended) {
      const job = waiting.get(id);
      const found = job === undefined ? undefined : await queue.getJob(id);
      if (job === undefined || found === undefined) continue;
      const hasFailed = await found.isFailed();
      yield hasFailed ? { job, fault: jobFailed(job, found.failedReason) } : { job, outcome: found.returnvalue };
      waiting.delete(id);
      await queue.remove(id);
    }
    if (!ended.some((id) => waiting.has(id))) await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

async function byId<Job extends Keyed>(jobs: Jobs<Job>): Promise<Map<string, Job>> {
  const found = new Map<string, Job>();
  for await (const job of jobs) found.set(idOf(job), job);
  return found;
}

/** Adding what is there already changes nothing. */
async function add<Job extends Keyed, Outcome>(
  queue: BullQueue<BullJob<Job, Outcome>>,
  jobs: ReadonlyMap<string, Job>,
): Promise<void> {
  const all = [...jobs].map(([jobId, data]) => ({ name: "job", data, opts: { jobId, attempts: ATTEMPTS } }));
  for (let from = 0; from < all.length; from += BATCH) await queue.addBulk(all.slice(from, from + BATCH));
}

/** A job's id from its key, which may hold what BullMQ's ids may not. */
const idOf = ({ key }: Keyed): string => `job-${createHash("sha256").update(key).digest("hex")}`;
