/** JavaScript's thread while a worker computes: servers answer, timers fire, and an abort ends the chunk or step under way. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { compress, generate, loadModel, type Model, prefill, snapKV } from "../../src/index.ts";
import { counted, promptOf } from "../generate/helpers.ts";
import { faultOf } from "../support/fault.ts";
import { fixture } from "../support/golden.ts";
import { graphStage, logitsOf } from "../support/graph-stage.ts";
import { tinyModel } from "../support/tiny-model.ts";

/** Wide enough that a chunk of 64 tokens takes some dozen milliseconds: timers here fire after one. */
const WIDE = { layers: 8, queryHeads: 16, kvHeads: 16, headDim: 64 };
const CHUNK = 64;

let model: Model;
beforeAll(async () => {
  model = await tinyModel(WIDE, 1, { worker: true });
});
afterAll(() => model[Symbol.dispose]());

/** Every millisecond, or as often as the thread is free. */
function ticking() {
  let count = 0;
  const timer = setInterval(() => count++, 1);
  return { count: () => count, [Symbol.dispose]: () => clearInterval(timer) };
}

describe("while a prompt is run", () => {
  test("a server answers, again and again, before its only chunk is done", async () => {
    await using server = Bun.serve({ port: 0, fetch: () => new Response("alive") });
    const events: string[] = [];
    const work = prefill(model, promptOf(500, 1), { chunk: 500, onProgress: () => events.push("chunk") });
    for (let i = 0; i < 3; i++) events.push(await (await fetch(server.url)).text());
    await work;
    expect(events).toEqual(["alive", "alive", "alive", "chunk"]);
  });

  test("timers fire during its chunks, and progress comes after each", async () => {
    using ticks = ticking();
    const done: number[] = [];
    await prefill(model, promptOf(500, 1), { chunk: CHUNK, onProgress: (count) => done.push(count) });
    expect(done).toEqual([64, 128, 192, 256, 320, 384, 448, 500]);
    // On one thread, a timer's turn comes once between two chunks at most.
    expect(ticks.count()).toBeGreaterThan(2 * done.length);
  });

  test("a timer that aborts it makes the chunk under way the last", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    let doneAtAbort = -1;
    const onProgress = (count: number) => {
      done.push(count);
      if (done.length !== 2) return;
      setTimeout(() => {
        doneAtAbort = done.length;
        controller.abort();
      }, 1);
    };
    const work = () => prefill(model, promptOf(500, 1), { chunk: CHUNK, signal: controller.signal, onProgress });
    expect((await faultOf(work)).code).toBe("aborted");
    expect(doneAtAbort).toBeGreaterThanOrEqual(2);
    expect(done.length).toBe(doneAtAbort + 1);
  });
});

describe("while tokens are generated", () => {
  test("a timer that aborts makes the step under way the last", async () => {
    using context = await prefill(model, promptOf(100, 1));
    using cache = await compress(context, snapKV({ budget: 16 }));
    const { model: watched, steps } = counted(model);
    const controller = new AbortController();
    let stepsAtAbort = -1;
    const run = generate(watched, cache, { maxNewTokens: 400, signal: controller.signal });
    let seen = 0;
    const fault = await faultOf(async () => {
      for await (const _ of run) {
        if (++seen !== 4) continue;
        setTimeout(() => {
          stepsAtAbort = steps();
          controller.abort();
        }, 1);
      }
    });
    expect(fault.code).toBe("aborted");
    // `steps` counts those that were begun: the one under way, if any, is among them.
    expect(stepsAtAbort).toBeGreaterThanOrEqual(3);
    expect(steps() - stepsAtAbort).toBeLessThanOrEqual(1);
    expect(await prefill(model, promptOf(10, 1))).toBeDefined();
  });
});

describe("loadModel({ worker: true })", () => {
  test("runs from the graph's files, mapped or not, as from memory, and after they are gone", async () => {
    await using at = await graphStage();
    const expected = await at.logits({ graphCache: false });
    for (const options of [{ graphCache: false }, { graphCache: true }, { graphCache: true }]) {
      expect(await at.logits({ ...options, worker: true })).toEqual(expected);
    }
    expect(await at.entries()).toHaveLength(1);
    expect(await at.logits({ mapped: true, worker: true })).toEqual(await at.logits({ mapped: true }));
    using model = await at.load({ worker: true });
    await at[Symbol.asyncDispose]();
    expect(await logitsOf(model)).toEqual(expected);
  });

  test("takes true or false", async () => {
    const fault = await faultOf(() => loadModel(fixture("tiny/llama"), { worker: 1 as unknown as boolean }));
    expect([fault.code, fault.path, fault.allowed]).toEqual([
      "invalid_option",
      ["loadModel", "worker"],
      "true or false",
    ]);
  });

  test("says disposed once it is", async () => {
    const gone = await tinyModel({}, 1, { worker: true });
    gone[Symbol.dispose]();
    expect((await faultOf(() => prefill(gone, promptOf(4, 1)))).code).toBe("disposed");
  });
});
