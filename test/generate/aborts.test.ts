import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generate, type KvCache, type Model, prefill } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";
import { counted, promptOf } from "./helpers.ts";

let model: Model;
let cache: KvCache;

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  cache = (await prefill(model, promptOf(20, 1))).cache;
});
afterAll(() => model[Symbol.dispose]());

describe("an abort", () => {
  test("before the start: nothing is decoded", async () => {
    const { model: watched, steps } = counted(model);
    const reason = new Error("enough");
    const fault = await faultOf(() => generate(watched, cache, { signal: AbortSignal.abort(reason) }));
    expect({ code: fault.code, cause: fault.cause }).toEqual({ code: "aborted", cause: reason });
    expect(steps()).toBe(0);
    const early = await faultOf(() => prefill(model, promptOf(4, 1), { signal: AbortSignal.abort() }));
    expect(early.code).toBe("aborted");
  });

  test("in the middle: readers see it, and the cache is as it was", async () => {
    const { model: watched, steps } = counted(model);
    const controller = new AbortController();
    const before = { length: cache.length, bytes: cache.bytes };
    const run = generate(watched, cache, { maxNewTokens: 300, signal: controller.signal });
    let seen = 0;
    const fault = await faultOf(async () => {
      for await (const _ of run) if (++seen === 4) controller.abort();
    });
    expect(fault.code).toBe("aborted");
    expect((await faultOf(() => run)).code).toBe("aborted");
    expect(seen).toBe(4);
    expect(steps()).toBe(3);
    expect({ length: cache.length, bytes: cache.bytes }).toEqual(before);
  });

  test("by a timer: decoding lets the event loop run", async () => {
    const signal = AbortSignal.timeout(5);
    const fault = await faultOf(async () => {
      for (;;) await generate(model, cache, { maxNewTokens: 400, signal });
    });
    expect(fault.code).toBe("aborted");
  });

  test("during prefill, after the chunk under way", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const onProgress = (count: number) => {
      done.push(count);
      if (count === 30) controller.abort();
    };
    const work = () => prefill(model, promptOf(100, 1), { chunk: 10, signal: controller.signal, onProgress });
    expect((await faultOf(work)).code).toBe("aborted");
    expect(done).toEqual([10, 20, 30]);
  });
});
