/** The oracle in a sweep: told each example's own answer, and beside the methods in results, keys and jobs. */
import { describe, expect, test } from "bun:test";
import {
  fewShot,
  type Job,
  needle,
  type Result,
  type SweepOptions,
  sweep,
  sweepRunner,
  type Task,
} from "../../src/evaluate/index.ts";
import { replyOf } from "../../src/evaluate/sweep/oracle.ts";
import { compress, generate, oracle, prefill, snapKV, step } from "../../src/index.ts";
import { letterModel, letters, letterTask } from "../support/letter-task.ts";

const model = await letterModel();
const task = letterTask({ examples: 2 });
const base: SweepOptions = { model, tasks: [task], methods: [snapKV], budgets: [16, "50%"] };
const all = (options: SweepOptions): Promise<Result[]> => Array.fromAsync(sweep(options));
const untimed = ({ prefillMs, compressMs, decodeMs, ...rest }: Result) => rest;

describe("a sweep with the oracle", () => {
  test("asks it at every budget, and all other results are what they are without it", async () => {
    const results = (await all({ ...base, oracle: true })).map(untimed);
    const without = (await all(base)).map(untimed);
    expect(results.filter(({ method }) => method !== "oracle")).toEqual(without);
    const its = results.filter(({ method }) => method === "oracle");
    expect(its.map(({ example, budget }) => [example, budget])).toEqual([
      ["0", "16"],
      ["0", "50%"],
      ["1", "16"],
      ["1", "50%"],
    ]);
    expect(its[0]?.methodOptions).toEqual({ budget: 16, floor: 0.2 });
    expect(its.map(({ kept }) => kept)).toEqual([16, 30, 16, 30]);
    expect(new Set(results.map(({ key }) => key)).size).toBe(results.length);
  });

  test("tells it the prompt's last token and the answer, or the answer alone where all of the prompt is prefilled", async () => {
    const [example] = await Array.fromAsync(task.examples({ tokenizer: letters, contextLength: 512, seed: 0 }));
    const tokens = letters.encode(String(example?.prompt));
    for (const lastOnCache of [true, false]) {
      const last = tokens.at(-1) ?? 0;
      const blank = last >= 62 ? "" : " ";
      const answer = [...(lastOnCache ? [last] : []), ...letters.encode(`${blank}a`)];
      const method = oracle({ budget: 16, answer });
      using context = await prefill(model, lastOnCache ? tokens.subarray(0, -1) : tokens, { observe: [method] });
      using cache = await compress(context, method);
      if (lastOnCache) await step(model, cache, last);
      const { text } = await generate(model, cache, { maxNewTokens: 5, stopTokens: [] });
      const results = await all({ ...base, oracle: true, lastOnCache });
      expect(results.find((one) => one.method === "oracle" && one.example === "0")?.answer).toBe(text);
    }
  });

  test("is another result where it is told another answer", async () => {
    const keys = async (reply: string) => {
      const told = {
        ...task,
        *examples() {
          yield { id: "0", prompt: "abcdefghijklmnopqrstuvwxyz", answers: ["a"], reply, facets: {} };
        },
      };
      return new Map((await all({ ...base, tasks: [told], oracle: true })).map(({ method, key }) => [method, key]));
    };
    const [one, other] = [await keys("b"), await keys("c")];
    expect(one.get("snapkv")).toBe(other.get("snapkv"));
    expect(one.get("oracle")).not.toBe(other.get("oracle"));
  });

  test("is done by workers that were given the other methods alone, from a job that was sent as text", async () => {
    const run = sweepRunner({ model, methods: [snapKV] });
    const queue: NonNullable<SweepOptions["queue"]> = {
      async *run(jobs, signal) {
        for await (const job of jobs) {
          const sent: Job = JSON.parse(JSON.stringify(job));
          yield { job, outcome: await run(sent, signal ?? new AbortController().signal) };
        }
      },
    };
    const sent = (await all({ ...base, oracle: true, queue })).map(untimed);
    expect(sent).toEqual((await all({ ...base, oracle: true })).map(untimed));
  });
});

describe("what an oracle is told", () => {
  const ask = { prompt: [1, 2], maxNewTokens: 4, minNewTokens: 0, stopTokens: [], lastOnCache: false, fidelity: false };
  const told = (example: { reply?: string }, prompt = "ab") =>
    letters.decode(
      replyOf(
        letters,
        { ...task, maxNewTokens: 4 },
        { id: "", prompt, answers: ["xyz", "b"], facets: {}, ...example },
        {
          ...ask,
          prompt: [...letters.encode(prompt)],
        },
      ),
    );

  test("is the first answer after a blank, unless the prompt ends in one; or what the example says; no longer than an answer may be", () => {
    expect(told({})).toBe(" xyz");
    expect(told({}, "ab ")).toBe("xyz");
    expect(told({}, "ab\n")).toBe("xyz");
    expect(told({ reply: "c1 and more" })).toBe("c1 a");
  });

  test("is what the tasks' own metrics call right", async () => {
    const reader = { tokenizer: letters, contextLength: 4000, seed: 0 };
    const tasks: readonly Task[] = [
      needle({ lengths: [2500], depths: 1 }),
      needle({ lengths: [2500], depths: 1, keys: 4, values: 2, queries: 2 }),
      needle({ lengths: [2500], depths: 1, kind: "sentence" }),
      fewShot({ lengths: [1500], examples: 6 }),
    ];
    for (const one of tasks)
      for await (const example of one.examples(reader)) expect(one.score(example.reply ?? "", example)).toBe(1);
  });
});
