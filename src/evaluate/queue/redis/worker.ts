import { setTimeout as sleep } from "node:timers/promises";
import { Queue as BullQueue, Worker as BullWorker, UnrecoverableError, WaitingError } from "bullmq";
import { z } from "zod";
import { KvError } from "../../../error.ts";
import { checked, signalOption } from "../../../options.ts";
import type { Keyed, Run } from "../queue.ts";
import { ATTEMPTS } from "./bull-queue.ts";
import { connect, type RedisOptions, redisShape } from "./connection.ts";

export interface WorkerOptions<Job extends Keyed, Outcome> extends RedisOptions {
  readonly run: Run<Job, Outcome>;
  /** Ends the worker: a job at work is told by its own signal, and goes back to the queue if it does not end well. */
  readonly signal?: AbortSignal;
  /** Jobs at once; default 1. */
  readonly concurrency?: number;
  /** Ends the worker once no job is waiting or at work anywhere; default false. */
  readonly drain?: boolean;
  /**
   * After how long a silence, in milliseconds, a worker counts as dead and its jobs go to others; default 60,000. It must be longer
   * than the network ever holds up JavaScript's thread.
   */
  readonly silence?: number;
}

const milliseconds = "an integer >= 100";
const atLeastOne = "an integer >= 1";
const shape = redisShape.extend({
  run: z.custom<Run<Keyed, unknown>>((it) => typeof it === "function", "a function"),
  signal: signalOption,
  concurrency: z.int(atLeastOne).min(1, atLeastOne).default(1),
  drain: z.boolean("true or false").default(false),
  silence: z.int(milliseconds).min(100, milliseconds).default(60_000),
});

/** Between two looks whether the queue is empty. */
const POLL_MS = 200;

/**
 * Does the jobs of a queue in Redis (`bullQueue`), until it is told to end. What a job throws is told to the coordinator: a KvError
 * at once, anything else after the job was tried 3 times.
 *
 * @returns how many jobs it did
 * @throws KvError `invalid_option`, `queue_unreachable` where Redis is not, or goes away for long
 */
export async function worker<Job extends Keyed, Outcome>(options: WorkerOptions<Job, Outcome>): Promise<number> {
  const { redis, name, prefix, signal, concurrency, drain, silence } = checked(shape, options, "worker");
  using connection = await connect(redis, "worker");
  const stop = new AbortController();
  const bull = new BullWorker<Job, Outcome>(
    name,
    async (job, token) => {
      try {
        return await options.run(job.data, stop.signal);
      } catch (thrown) {
        if (stop.signal.aborted) {
          await job.moveToWait(token);
          throw new WaitingError();
        }
        throw thrown instanceof KvError ? new UnrecoverableError(thrown.message) : thrown;
      }
    },
    {
      connection: connection.client,
      prefix,
      concurrency,
      lockDuration: silence,
      stalledInterval: silence / 2,
      maxStalledCount: ATTEMPTS - 1,
      runRetryDelay: 1_000,
    },
  );
  let count = 0;
  bull.on("completed", () => count++);
  bull.on("error", () => {}); // of the connection, which is tried again: `lost` says when no more
  const queue = new BullQueue(name, { connection: connection.client, prefix });
  queue.on("error", () => {});
  const ends = [connection.lost, ...(signal ? [fired(signal)] : []), ...(drain ? [drained(queue, stop.signal)] : [])];
  try {
    await Promise.race(ends);
    stop.abort();
    await Promise.race([connection.lost, bull.close()]);
    return count;
  } catch (thrown) {
    stop.abort();
    bull.close(true).catch(() => {}); // nobody is left to close it with
    throw connection.faultOf(thrown);
  } finally {
    await queue.close();
  }
}

const fired = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function drained(queue: BullQueue, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted && (await queue.getJobCountByTypes("waiting", "active", "delayed")) > 0) await sleep(POLL_MS);
}
