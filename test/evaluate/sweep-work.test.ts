/** Sweeps with a store, in shards, on queues with workers that die, and with examples that fail. */
import { afterAll, describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bullQueue, openStore, type Result, type SweepOptions, sweep, sweepRunner } from "../../src/evaluate/index.ts";
import { full, h2o, KvError, registry, snapKV } from "../../src/index.ts";
import { scratch } from "../model/helpers.ts";
import { faultOf } from "../support/fault.ts";
import { letterModel, letterPairs, letterTask } from "../support/letter-task.ts";
import { findRedis, startRedis } from "../support/redis.ts";

const model = await letterModel();
const task = letterTask({ examples: 6 });
const base: SweepOptions = { model, tasks: [task], methods: letterPairs, budgets: [16, "50%"] };
const PER_EXAMPLE = 13;

/** All but clocks, in one order. */
const plain = (results: readonly Result[]) =>
  results.map(({ prefillMs, compressMs, decodeMs, ...rest }) => rest).toSorted((a, b) => (a.key < b.key ? -1 : 1));
const all = (options: SweepOptions): Promise<Result[]> => Array.fromAsync(sweep(options));
const whole = plain(await all({ ...base, fidelity: true }));

describe("a sweep with a store", () => {
  test("has its results there to the last bit, whenever it was interrupted", async () => {
    await using store = await openStore();
    let seen = 0;
    for await (const _ of sweep({ ...base, fidelity: true, store })) if (++seen === 2 * PER_EXAMPLE + 1) break;
    expect((await store.keys()).size).toBe(3 * PER_EXAMPLE);
    expect(plain(await all({ ...base, fidelity: true, store }))).toEqual(whole);
    expect(plain(await Array.fromAsync(store.results()))).toEqual(whole);
  });

  test("in shards is, merged, the one sweep; each example in one shard, all its configurations together", async () => {
    using folder = scratch();
    const paths: string[] = [];
    let asked = 0;
    for (const index of [1, 2, 3]) {
      const path = join(folder.path, `${index}.duckdb`);
      paths.push(path);
      await using store = await openStore(path);
      const part = await all({ ...base, fidelity: true, store, shard: { index, count: 3 } });
      asked += part.length;
      for (const [, of] of Map.groupBy(part, ({ example }) => example)) expect(of).toHaveLength(PER_EXAMPLE);
    }
    expect(asked).toBe(whole.length);
    await using merged = await openStore();
    expect(await merged.merge(paths)).toBe(whole.length);
    expect(plain(await Array.fromAsync(merged.results()))).toEqual(whole);
  });
});

test("an example that fails keeps nothing from the others, and is told at the end", async () => {
  let prefills = 0;
  const engine: typeof model.engine = {
    ...model.engine,
    prefill: (request) => {
      if (++prefills === 2)
        throw new KvError({ code: "engine_failed", path: ["layer"], found: Number.NaN, allowed: "a number" });
      return model.engine.prefill(request);
    },
  };
  await using store = await openStore();
  const fault = await faultOf(() => all({ ...base, model: { ...model, engine }, store }));
  expect(fault.code).toBe("engine_failed");
  expect((await store.keys()).size).toBe(5 * PER_EXAMPLE);
  expect(await all({ ...base, store })).toHaveLength(6 * PER_EXAMPLE);
});

describe("a runner refuses", () => {
  const kept = { key: "k", method: "snapkv", options: snapKV({ budget: 16 }).options, budget: "16" };
  const ask = {
    prompt: [1, 2, 3],
    maxNewTokens: 1,
    minNewTokens: 0,
    stopTokens: [],
    lastOnCache: true,
    fidelity: false,
  };
  const job = async () => {
    const { weights, engine, precision } = await model.provenance();
    return { key: "j", model: { weights, engine, precision }, ask, kept: [kept] };
  };
  const { signal } = new AbortController();

  test("a job of another model", async () => {
    const mine = await job();
    const run = sweepRunner({ model, methods: [snapKV] });
    for (const other of [{ weights: "others" }, { precision: "fast" }]) {
      const fault = await faultOf(() => run({ ...mine, model: { ...mine.model, ...other } }, signal));
      expect(fault).toMatchObject({ code: "wrong_model", path: ["worker", "model"] });
    }
  });

  test("a method that it was not given, or not with these options", async () => {
    for (const methods of [
      [full()],
      [h2o],
      [registry.pyramidkv],
      [snapKV({ budget: 17 })],
      [(o: { budget: number }) => snapKV({ ...o, window: 4 })],
    ]) {
      const fault = await faultOf(async () => sweepRunner({ model, methods })(await job(), signal));
      expect(fault).toMatchObject({ code: "invalid_option", path: ["worker", "methods"] });
    }
    for (const methods of [[snapKV], [full(), snapKV({ budget: 16 })]])
      expect((await sweepRunner({ model, methods })(await job(), signal)).answers).toHaveLength(1);
  });
});

const found = await findRedis();
if ("missing" in found) test.skip(`sweeps on Redis: ${found.missing}`, () => {});
else {
  const redis = await startRedis();
  afterAll(() => redis[Symbol.asyncDispose]());

  test("two workers, one of them killed at work, make the one sweep: nothing is lost, nothing is there twice", async () => {
    const name = randomUUID();
    const script = fileURLToPath(new URL("../support/sweep-process.ts", import.meta.url));
    const begin = () => Bun.spawn([process.execPath, script, redis.url, name], { stdout: "pipe", stderr: "inherit" });
    const [victim, other] = [begin(), begin()];
    try {
      await using store = await openStore();
      const running = all({ ...base, fidelity: true, store, queue: bullQueue({ redis: redis.url, name }) });
      const [first] = await Array.fromAsync(take(victim.stdout, 1));
      expect(new TextDecoder().decode(first)).toStartWith("begins");
      victim.kill("SIGKILL");
      expect(plain(await running)).toEqual(whole);
      expect(plain(await Array.fromAsync(store.results()))).toEqual(whole);
    } finally {
      for (const process of [victim, other]) process.kill("SIGKILL");
    }
  }, 120_000);
}

async function* take<T>(source: ReadableStream<T>, count: number): AsyncGenerator<T> {
  let left = count;
  for await (const item of source) {
    yield item;
    if (--left === 0) return;
  }
}
