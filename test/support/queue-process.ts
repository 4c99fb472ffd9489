/**
 * One side of a queue in Redis: `queue-process.ts worker URL NAME` does jobs until it is killed or told to end by SIGTERM,
 * `queue-process.ts coordinator URL NAME COUNT` prints the end of each. A job waits, or kills its worker, as it says.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { KvError } from "../../src/error.ts";
import { bullQueue, worker } from "../../src/evaluate/queue/index.ts";

export interface TestJob {
  readonly key: string;
  readonly n: number;
  readonly ms?: number;
  readonly kills?: boolean;
}

export interface TestOutcome {
  readonly double: number;
  readonly by: number;
}

export const testJobs = (count: number, changes: Partial<TestJob> = {}): readonly TestJob[] =>
  Array.from({ length: count }, (_, n) => ({ key: `job:${n}`, n, ...changes }));

/** A worker's silence in tests: the time after which those that were killed count as dead. */
export const SILENCE = 1_500;

async function run({ n, ms = 0, kills = false }: TestJob, signal: AbortSignal): Promise<TestOutcome> {
  console.log(`begins ${n}`);
  if (kills) process.kill(process.pid, "SIGKILL");
  await sleep(ms, undefined, { signal });
  return { double: 2 * n, by: process.pid };
}

if (import.meta.main) {
  const [side, redis = "", name = "", count = "0"] = process.argv.slice(2);
  try {
    if (side === "worker") {
      const stop = new AbortController();
      process.on("SIGTERM", () => stop.abort());
      console.log(`did ${await worker({ redis, name, run, signal: stop.signal, silence: SILENCE })}`);
    } else {
      const queue = bullQueue<TestJob, TestOutcome>({ redis, name });
      for await (const done of queue.run(testJobs(Number(count)))) console.log(JSON.stringify(done));
    }
  } catch (thrown) {
    console.log(thrown instanceof KvError ? `${thrown.code} ${thrown.message}` : `bug ${thrown}`);
  }
}
