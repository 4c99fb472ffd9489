import { describe, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { KvError } from "../../../src/error.ts";
import { inProcess, type Keyed } from "../../../src/evaluate/queue/index.ts";
import { faultOf } from "../../support/fault.ts";
import { holds } from "../../support/seed.ts";

interface Work extends Keyed {
  readonly turns: number;
  readonly fails: boolean;
}

const works = fc
  .array(fc.record({ turns: fc.integer({ min: 0, max: 3 }), fails: fc.boolean() }), { maxLength: 12 })
  .map((all): readonly Work[] => all.map((work, i) => ({ key: `${i}`, ...work })));

async function run({ key, turns, fails }: Work): Promise<string> {
  for (let i = 0; i < turns; i++) await null;
  if (fails) throw new Error(`no ${key}`);
  return `did ${key}`;
}

const jobs = (count: number): readonly Work[] =>
  Array.from({ length: count }, (_, i) => ({ key: `${i}`, turns: 0, fails: false }));

describe("in this process", () => {
  test("every job ends once, with its outcome or its fault, however many are done at once", () =>
    holds(fc.tuple(works, fc.integer({ min: 1, max: 5 }), fc.boolean()), async ([all, concurrency, isAsync]) => {
      let working = 0;
      let most = 0;
      const counted = async (work: Work) => {
        most = Math.max(most, ++working);
        return run(work).finally(() => working--);
      };
      async function* slowly() {
        yield* all;
      }
      const ends = await Array.fromAsync(inProcess(counted, { concurrency }).run(isAsync ? slowly() : all));
      const said = ends.map((done) => ({
        key: done.job.key,
        end: "fault" in done ? done.fault.message : done.outcome,
      }));
      expect(said.toSorted((a, b) => Number(a.key) - Number(b.key))).toEqual(
        all.map(({ key, fails }) => ({
          key,
          end: fails ? `job.${key} is failed, but must be done: no ${key}.` : `did ${key}`,
        })),
      );
      expect(most).toBeLessThanOrEqual(concurrency);
      if (concurrency === 1) expect(ends.map(({ job }) => job)).toEqual([...all]);
    }));

  test("a KvError is told as it is", async () => {
    const fault = new KvError({ code: "disk_error", path: ["a"], found: 1, allowed: "2" });
    const [done] = await Array.fromAsync(inProcess(() => Promise.reject(fault)).run(jobs(1)));
    expect(done).toMatchObject({ fault });
  });

  test("an abort ends jobs at work and begins no more, but gives what was done", async () => {
    const stop = new AbortController();
    const begun: string[] = [];
    const queue = inProcess(
      async ({ key }: Work, signal) => {
        begun.push(key);
        if (key === "2") await sleep(5).then(() => stop.abort());
        if (key === "3") await sleep(60_000, undefined, { signal });
        return key;
      },
      { concurrency: 2 },
    );
    const given: string[] = [];
    const fault = await faultOf(async () => {
      for await (const done of queue.run(jobs(9), stop.signal))
        given.push("fault" in done ? done.fault.code : done.outcome);
    });
    expect(fault).toMatchObject({ code: "aborted" });
    expect(begun).toEqual(["0", "1", "2", "3"]);
    expect(given).toEqual(["0", "1", "2"]);
  });

  test("whoever stops listening waits for the jobs at work, which are told", async () => {
    let told = 0;
    let isOver = false;
    async function* source() {
      try {
        yield* jobs(9);
      } finally {
        isOver = true;
      }
    }
    const queue = inProcess(
      async ({ key }: Work, signal) => {
        if (key === "0") return;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        await sleep(5);
        told++;
      },
      { concurrency: 3 },
    );
    for await (const _ of queue.run(source())) break;
    expect({ told, isOver }).toEqual({ told: 2, isOver: true });
  });

  test.each([0, 1.5, "2"])("%p at once is refused", async (concurrency) => {
    const options = JSON.parse(JSON.stringify({ concurrency }));
    expect(await faultOf(() => inProcess(run, options))).toMatchObject({
      code: "invalid_option",
      path: ["inProcess", "concurrency"],
    });
  });
});
