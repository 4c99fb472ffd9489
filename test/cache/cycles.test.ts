/**
 * A thousand prompts come and go, and the process is no larger: nothing is kept of a context, a compressed cache, a fork or a batch once
 * it is disposed. So a sweep over a data set ends with the memory it began with.
 */
import { describe, expect, test } from "bun:test";
import { compress, generateBatch, prefill, pyramidKV, step } from "../../src/index.ts";
import { tinyModel } from "../support/tiny-model.ts";

const LAYERS = 3;
const KV_HEADS = 2;
const HEAD_DIM = 64;
/** Keys and values of one entry in every layer and KV head. */
const ENTRY = LAYERS * KV_HEADS * HEAD_DIM * 2 * 4;
const BUDGET = 16;
const CYCLES = 1000;
/** Memory is read after each of as many equal blocks of cycles; the first ones let allocators and compiler settle. */
const BLOCKS = 20;
const SETTLED = 4;
/**
 * Bytes that a cycle may add to the resident memory: half of what its smallest cache holds, so that keeping one of each cycle is seen.
 *
 * Resident memory is not what a process holds: pages go back to the system when allocators see fit. So what is judged is the slope
 * of the line through the readings, which a late page hardly turns. Readings of a process that keeps nothing scatter by 3.5 MB
 * (2026-11), and 16 of them, 50 cycles apart, make slopes of 4 KB by chance: the tolerance is six times that.
 */
const RESIDENT = (BUDGET * ENTRY) / 2;
/** Bytes that a cycle may add to typed arrays, which are counted exactly: less than the tokens of one prompt. */
const ARRAYS = 100;
/** Half a minute where nothing else runs. */
const PATIENCE = 300_000;

const model = await tinyModel({ layers: LAYERS, kvHeads: KV_HEADS, headDim: HEAD_DIM });
const method = pyramidKV({ budget: BUDGET });
const prompt = (length: number) =>
  prefill(
    model,
    Int32Array.from({ length }, (_, i) => (i * 7) % 64),
    { observe: [method] },
  );

/** Takes everything that a cycle makes, and disposes it. */
type Keeper = <T extends Disposable>(made: T) => T;

const cycles: Readonly<Record<string, (own: Keeper) => Promise<void>>> = {
  "prefill, compression and a step": async (own) => {
    const cache = own(await compress(own(await prompt(128)), method));
    await step(model, cache, 1);
  },
  "forks that decode together and one alone": async (own) => {
    const cache = own(await compress(own(await prompt(128)), method));
    const forks = [1, 2, 3, 4].map(() => own(cache.fork()));
    await model.engine.step(forks.map((fork, token) => ({ token, cache: fork })));
    for (const fork of forks.slice(0, 1)) await step(model, own(fork.fork()), 5);
  },
  "batches of different caches": async (own) => {
    const contexts = [own(await prompt(64)), own(await prompt(50))];
    const caches = await Promise.all(contexts.map(async (context) => own(await compress(context, method))));
    await generateBatch(model, [...caches, ...contexts.map(({ cache }) => cache)], { maxNewTokens: 2 });
  },
};

/** Bytes that each of `count` cycles adds to the process. */
async function growth(count: number, cycle: () => Promise<void>): Promise<{ resident: number; arrays: number }> {
  const readings: NodeJS.MemoryUsage[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    for (let i = 0; i < count / BLOCKS; i++) await cycle();
    // Several times, because feeds are let go of a turn later, and a frame that has returned may hold something for a while.
    for (let pass = 0; pass < 3; pass++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      Bun.gc(true);
    }
    readings.push(process.memoryUsage());
  }
  const perCycle = (values: readonly number[]) => slope(values.slice(SETTLED)) / (count / BLOCKS);
  return {
    resident: perCycle(readings.map(({ rss }) => rss)),
    arrays: perCycle(readings.map(({ arrayBuffers }) => arrayBuffers)),
  };
}

/** Of the least-squares line through values at 0, 1, 2, ... */
function slope(values: readonly number[]): number {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const middle = (values.length - 1) / 2;
  return sum(values.map((value, i) => (i - middle) * value)) / sum(values.map((_, i) => (i - middle) ** 2));
}

const disposing =
  (cycle: (own: Keeper) => Promise<void>): (() => Promise<void>) =>
  async () => {
    using stack = new DisposableStack();
    await cycle((made) => stack.use(made));
  };

describe("memory stays as it is over a thousand cycles of", () => {
  for (const [name, cycle] of Object.entries(cycles)) {
    test(
      name,
      async () => {
        const { resident, arrays } = await growth(CYCLES, disposing(cycle));
        expect(Math.abs(arrays)).toBeLessThan(ARRAYS);
        expect(resident).toBeLessThan(RESIDENT);
      },
      PATIENCE,
    );
  }
});

describe("it would be seen if each cycle kept what it made:", () => {
  const few = 100;

  for (const [name, cycle] of Object.entries(cycles)) {
    test(
      name,
      async () => {
        const kept: Disposable[] = [];
        const keep: Keeper = (made) => {
          kept.push(made);
          return made;
        };
        const { resident, arrays } = await growth(few, () => cycle(keep));
        expect(resident).toBeGreaterThan(RESIDENT);
        expect(arrays).toBeGreaterThan(RESIDENT);
        for (const made of kept) made[Symbol.dispose]();
      },
      PATIENCE,
    );
  }

  test("a prompt's context, though disposed", async () => {
    const kept: Disposable[] = [];
    const { arrays } = await growth(
      few,
      disposing(async (own) => void kept.push(own(await prompt(128)))),
    );
    expect(arrays).toBeGreaterThan(ARRAYS);
    expect(kept).toHaveLength(few);
  });
});

test("a cache's bytes are its entries' and a tail's of 16 entries times a power of two, in forks too", async () => {
  using context = await prompt(60);
  using cache = await compress(context, method);
  expect(context.cache.bytes).toBe(60 * ENTRY);
  expect(cache.bytes).toBe(BUDGET * ENTRY);
  for (let decoded = 1; decoded <= 70; decoded++) {
    await step(model, cache, decoded % 64);
    const capacity = [16, 32, 64, 128].find((entries) => entries >= decoded) ?? 0;
    expect(cache.bytes).toBe((BUDGET + capacity) * ENTRY);
    using fork = cache.fork();
    expect(fork.bytes).toBe(cache.bytes);
  }
});
