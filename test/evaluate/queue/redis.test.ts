/** A real Redis, and workers in processes of their own that are killed at work. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Queue } from "bullmq";
import { KvError } from "../../../src/error.ts";
import { bullQueue, type Done, inProcess, type Keyed, type Run, worker } from "../../../src/evaluate/queue/index.ts";
import { faultOf } from "../../support/fault.ts";
import { SILENCE, type TestJob, type TestOutcome, testJobs } from "../../support/queue-process.ts";
import { findRedis, startRedis, type TestRedis } from "../../support/redis.ts";

setDefaultTimeout(120_000);

const root = fileURLToPath(new URL("../../..", import.meta.url));
const BUN = [process.execPath];
const DENO = [process.execPath, "node_modules/deno/bin.cjs", "run", "--quiet", "--no-check", "--allow-all"];

/** One side of the queue in a process of its own; its lines are read as they come. */
function elsewhere(args: readonly (string | number)[], start: readonly string[] = BUN) {
  const command = [...start, "test/support/queue-process.ts", ...args.map(String)];
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "inherit" });
  const said: string[] = [];
  const read = (async () => {
    for await (const bytes of child.stdout) said.push(...new TextDecoder().decode(bytes).trim().split("\n"));
  })();
  return {
    said,
    async says(line: string) {
      while (!said.includes(line)) {
        assert.equal(child.exitCode, null, `${said} without ${line}`);
        await sleep(10);
      }
    },
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    async ended() {
      await Promise.all([child.exited, read]);
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** What a run comes to, whoever did it. */
const byKey = (ends: readonly Done<TestJob, TestOutcome>[]) =>
  ends
    .map((done) => ({ n: done.job.n, end: "fault" in done ? done.fault.message : done.outcome.double }))
    .toSorted((a, b) => a.n - b.n);

const single = async (jobs: readonly TestJob[]) =>
  byKey(await Array.fromAsync(inProcess(async ({ n }: TestJob) => ({ double: 2 * n, by: 0 })).run(jobs)));

const found = await findRedis();
if ("missing" in found) test.skip(`queues in Redis: ${found.missing}`, () => {});
else queuesInRedis(await startRedis());

function queuesInRedis(server: TestRedis): void {
  afterAll(() => server[Symbol.asyncDispose]());
  const redis = server.url;
  const fresh = () => `test-${randomUUID()}`;
  const coordinator = (name: string) => bullQueue<TestJob, TestOutcome>({ redis, name });
  const own = (name: string, run: Run<TestJob, TestOutcome>, signal: AbortSignal) =>
    worker({ redis, name, run, signal, silence: SILENCE });
  const doubled = async ({ n }: TestJob) => ({ double: 2 * n, by: 0 });

  async function waitingIn(name: string): Promise<number> {
    const queue = new Queue(name, { connection: { url: redis }, prefix: "pyramidkv" });
    try {
      return await queue.getWaitingCount();
    } finally {
      await queue.close();
    }
  }

  describe("workers in processes of their own", () => {
    test("come to what a single run comes to, and share the jobs", async () => {
      const name = fresh();
      await using _one = elsewhere(["worker", redis, name]);
      await using _other = elsewhere(["worker", redis, name]);
      // While one is busy with the first job, the other gets the second.
      const jobs = testJobs(20).map((job) => ({ ...job, ms: job.n < 2 ? 1_500 : 10 }));
      const ends = await Array.fromAsync(coordinator(name).run(jobs));
      expect(byKey(ends)).toEqual(await single(jobs));
      expect(new Set(ends.map((done) => ("fault" in done ? 0 : done.outcome.by))).size).toBe(2);
    });

    test("may be killed in the middle of a job: another does it, and nothing is lost or doubled", async () => {
      const name = fresh();
      await using victim = elsewhere(["worker", redis, name]);
      const long = { key: "long", n: 100, ms: 500 };
      const jobs = [long, ...testJobs(8)];
      const ends = Array.fromAsync(coordinator(name).run(jobs));
      await victim.says("begins 100");
      victim.kill("SIGKILL");
      await using heir = elsewhere(["worker", redis, name]);
      expect(byKey(await ends)).toEqual(await single(jobs));
      expect(heir.said.filter((line) => line.startsWith("begins")).toSorted()).toEqual(
        jobs.map(({ n }) => `begins ${n}`).toSorted(),
      );
    });

    test("a job that kills whoever does it fails after three of them, and only that", async () => {
      const name = fresh();
      const jobs = [{ key: "bad", n: 50, kills: true }, ...testJobs(3)];
      const ends = Array.fromAsync(coordinator(name).run(jobs));
      let killed = 0;
      let isOver = false;
      const crew = (async () => {
        while (!isOver) {
          await using hand = elsewhere(["worker", redis, name]);
          while (!isOver && (await Promise.race([hand.ended(), sleep(50, "busy")])) === "busy");
          if (hand.said.includes("begins 50")) killed++;
        }
      })();
      const found = await ends;
      isOver = true;
      await crew;
      expect(killed).toBe(3);
      expect(byKey(found)).toEqual([
        ...(await single(testJobs(3))),
        { n: 50, end: expect.stringMatching(/^job.bad is failed, but must be done: .*stalled/) },
      ]);
    });

    test("end by a signal: the job at work goes back, and another does it", async () => {
      const name = fresh();
      await using first = elsewhere(["worker", redis, name]);
      const ends = Array.fromAsync(coordinator(name).run(testJobs(1, { ms: 1_500 })));
      await first.says("begins 0");
      first.kill("SIGTERM");
      expect(await first.ended()).toBe(0);
      expect(first.said.at(-1)).toBe("did 0");
      expect(await waitingIn(name)).toBe(1);
      await using _second = elsewhere(["worker", redis, name]);
      expect(byKey(await ends)).toEqual(await single(testJobs(1)));
    });

    test("run under Deno too, and so does the coordinator", async () => {
      const name = fresh();
      await using _hand = elsewhere(["worker", redis, name], DENO);
      const ends = await Array.fromAsync(coordinator(name).run(testJobs(5)));
      expect(byKey(ends)).toEqual(await single(testJobs(5)));
      await using there = elsewhere(["coordinator", redis, name, 5], DENO);
      expect(await there.ended()).toBe(0);
      expect(byKey(there.said.map((line) => JSON.parse(line)))).toEqual(await single(testJobs(5)));
    });
  });

  describe("a coordinator", () => {
    test("that stops loses nothing: another gets the rest, and what was done meanwhile", async () => {
      const name = fresh();
      const stop = new AbortController();
      const runs = new Map<string, number>();
      const jobs = testJobs(12);
      const crew = own(
        name,
        async (job) => {
          runs.set(job.key, (runs.get(job.key) ?? 0) + 1);
          return doubled(job);
        },
        stop.signal,
      );
      const seen: Done<TestJob, TestOutcome>[] = [];
      for await (const done of coordinator(name).run(jobs)) if (seen.push(done) === 4) break;
      while (runs.size < jobs.length) await sleep(10);
      const rest = await Array.fromAsync(
        coordinator(name).run(jobs.filter(({ key }) => !seen.slice(0, 3).some(({ job }) => job.key === key))),
      );
      expect(byKey([...seen.slice(0, 3), ...rest])).toEqual(await single(jobs));
      expect([...runs.values()]).toEqual(jobs.map(() => 1));
      stop.abort();
      expect(await crew).toBe(12);
    });

    test("that is one of two with the same jobs does not double them, and gets them all", async () => {
      const name = fresh();
      const jobs = testJobs(6);
      const both = [coordinator(name), coordinator(name)].map((queue) => Array.fromAsync(queue.run(jobs)));
      while ((await waitingIn(name)) < 6) await sleep(10);
      await sleep(300);
      expect(await waitingIn(name)).toBe(6);
      const stop = new AbortController();
      const crew = own(name, doubled, stop.signal);
      for (const ends of await Promise.all(both)) expect(byKey(ends)).toEqual(await single(jobs));
      stop.abort();
      await crew;
    });

    test("hears why a job failed, and gets the others; asked again, it is tried again", async () => {
      const name = fresh();
      const stop = new AbortController();
      let tries = 0;
      const crew = own(
        name,
        async (job) => {
          if (job.n === 1) throw new Error(`out of luck ${++tries}`);
          return doubled(job);
        },
        stop.signal,
      );
      const jobs = testJobs(3);
      const ends = await Array.fromAsync(coordinator(name).run(jobs));
      expect(byKey(ends)[1]?.end).toBe("job.job:1 is failed, but must be done: out of luck 3.");
      expect(ends.find(({ job }) => job.n === 1)).toMatchObject({
        fault: { code: "job_failed", path: ["job", "job:1"] },
      });
      await Array.fromAsync(coordinator(name).run(jobs));
      expect(tries).toBe(6);
      stop.abort();
      await crew;
    });

    test("hears a KvError at once: the job would fail again", async () => {
      const name = fresh();
      const stop = new AbortController();
      let tries = 0;
      const fail = async () => {
        tries++;
        throw new KvError({ code: "disk_error", path: ["a"], found: "full", allowed: "empty" });
      };
      const crew = own(name, fail, stop.signal);
      const [done] = await Array.fromAsync(coordinator(name).run(testJobs(1)));
      expect(done).toMatchObject({ fault: { code: "job_failed" } });
      expect(done !== undefined && "fault" in done && done.fault.message).toContain("a is full, but must be empty");
      expect(tries).toBe(1);
      stop.abort();
      await crew;
    });

    test("ends by its signal, with jobs left to the workers", async () => {
      const name = fresh();
      const run = coordinator(name).run(testJobs(3), AbortSignal.timeout(300));
      expect(await faultOf(() => Array.fromAsync(run))).toMatchObject({ code: "aborted" });
      const did = await worker({ redis, name, run: doubled, drain: true });
      expect(did).toBe(3);
      expect(byKey(await Array.fromAsync(coordinator(name).run(testJobs(3))))).toEqual(await single(testJobs(3)));
    });

    test("without jobs has nothing to wait for", async () => {
      expect(await Array.fromAsync(coordinator(fresh()).run([]))).toEqual([]);
    });
  });

  describe("a Redis that goes away", () => {
    test("and comes back empty gets the jobs again", async () => {
      const mortal = await startRedis();
      const stop = new AbortController();
      const name = fresh();
      const hand = { redis: mortal.url, name, signal: stop.signal, silence: SILENCE };
      const slow: Run<TestJob, TestOutcome> = async (job) => {
        await sleep(job.ms ?? 0);
        return doubled(job);
      };
      const crew = worker({ ...hand, run: slow });
      const jobs = testJobs(4, { ms: 200 });
      const ends: Done<TestJob, TestOutcome>[] = [];
      let revived: TestRedis | null = null;
      for await (const done of bullQueue<TestJob, TestOutcome>({ redis: mortal.url, name }).run(jobs)) {
        ends.push(done);
        if (revived !== null) continue;
        await mortal[Symbol.asyncDispose]();
        revived = await startRedis(mortal.port);
      }
      stop.abort();
      await crew;
      await revived?.[Symbol.asyncDispose]();
      expect(byKey(ends)).toEqual(await single(jobs));
    });

    test("for good is an error for both sides, and ends neither's process", async () => {
      const mortal = await startRedis();
      const name = fresh();
      const at = { redis: mortal.url, name };
      const crew = faultOf(() => worker<TestJob, TestOutcome>({ ...at, run: doubled }));
      const queue = faultOf(() => Array.fromAsync(bullQueue<Keyed, never>({ ...at, name: fresh() }).run(testJobs(1))));
      await sleep(500);
      await mortal[Symbol.asyncDispose]();
      expect(await crew).toMatchObject({ code: "queue_unreachable" });
      expect(await queue).toMatchObject({ code: "queue_unreachable" });
    });
  });
}

describe("what is no Redis", () => {
  const run = async () => 1;
  test("is an error that says where and why, but no password", async () => {
    const redis = "redis://user:secret@127.0.0.1:9/3";
    for (const use of [
      () => worker({ redis, name: "a", run }),
      () => Array.fromAsync(bullQueue({ redis, name: "a" }).run([{ key: "a" }])),
    ]) {
      const fault = await faultOf(use);
      expect(fault).toMatchObject({ code: "queue_unreachable", path: ["redis://127.0.0.1:9/3"] });
      expect(fault.message).toMatch(/ECONNREFUSED/);
      expect(JSON.stringify(fault) + fault.message).not.toContain("secret");
    }
  });

  test.each(["", "localhost:6379", "http://localhost", "redis"])("%p is no address of one", async (redis) => {
    expect(await faultOf(() => worker({ redis, name: "a", run }))).toMatchObject({
      code: "invalid_option",
      path: ["worker", "redis"],
    });
  });

  test("options that are wrong are named", async () => {
    const redis = "redis://127.0.0.1:9";
    expect(await faultOf(() => bullQueue({ redis, name: "a:b" }))).toMatchObject({ path: ["bullQueue", "name"] });
    expect(await faultOf(() => bullQueue({ redis, name: "a", prefix: "" }))).toMatchObject({
      path: ["bullQueue", "prefix"],
    });
    expect(await faultOf(() => worker({ redis, name: "a", run, silence: 1 }))).toMatchObject({
      path: ["worker", "silence"],
    });
    expect(await faultOf(() => worker({ redis, name: "a", run, concurrency: 0 }))).toMatchObject({
      path: ["worker", "concurrency"],
    });
  });
});
