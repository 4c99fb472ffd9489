/**
 * A thousand prompts come and go, and the process is no larger: nothing is kept of a context, a compressed cache, a fork or a batch once
 * it is disposed. So a sweep over a data set ends with the memory it began with. Each in a process of its own, so that no other test's
 * memory counts.
 */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { compress, prefill, pyramidKV, step } from "../../src/index.ts";
import { BLOCKS, BUDGET, HEAD_DIM, KV_HEADS, LAYERS, type Readings } from "../support/cycles-process.ts";
import { slope } from "../support/slope.ts";
import { tinyModel } from "../support/tiny-model.ts";

/** Keys and values of one entry in every layer and KV head. */
const ENTRY = LAYERS * KV_HEADS * HEAD_DIM * 2 * 4;
const CYCLES = 1000;
/** Cycles where each keeps what it made. */
const FEW = 100;
/** The first blocks let allocators and compiler settle. */
const SETTLED = 4;
/**
 * Bytes that a cycle may add to the resident memory: half of what its smallest cache holds, so that keeping one of each cycle is seen.
 * Pages go back to the system when allocators see fit: readings of a process that keeps nothing scatter by 3.5 MB (2026-11), which
 * makes slopes up to 8 KB a cycle, a third of this.
 */
const RESIDENT = (BUDGET * ENTRY) / 2;
/** Bytes that a cycle may add to typed arrays, which are counted exactly: less than the tokens of one prompt. */
const ARRAYS = 100;
/** Half a minute where nothing else runs. */
const PATIENCE = 300_000;

/** Bytes that each of `count` cycles adds to a process. */
async function growth(name: string, count: number, keep: "" | "keep" | "keep-disposed" = "") {
  const script = fileURLToPath(new URL("../support/cycles-process.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, name, String(count), keep], { stderr: "inherit" });
  const { resident, arrays }: Readings = JSON.parse(await new Response(child.stdout).text());
  const perCycle = (values: readonly number[]) => slope(values.slice(SETTLED)) / (count / BLOCKS);
  return { resident: perCycle(resident), arrays: perCycle(arrays) };
}

const cycles = {
  single: "prefill, compression and a step",
  forks: "forks that decode together and one alone",
  batch: "batches of different caches",
};

describe("memory stays as it is over a thousand cycles of", () => {
  for (const [name, text] of Object.entries(cycles)) {
    test(
      text,
      async () => {
        const { resident, arrays } = await growth(name, CYCLES);
        expect(Math.abs(arrays)).toBeLessThan(ARRAYS);
        expect(resident).toBeLessThan(RESIDENT);
      },
      PATIENCE,
    );
  }
});

describe("it would be seen if each cycle kept what it made:", () => {
  for (const [name, text] of Object.entries(cycles)) {
    test(
      text,
      async () => {
        const { resident, arrays } = await growth(name, FEW, "keep");
        expect(resident).toBeGreaterThan(RESIDENT);
        expect(arrays).toBeGreaterThan(RESIDENT);
      },
      PATIENCE,
    );
  }

  test(
    "a prompt's context, though disposed",
    async () => {
      const { arrays } = await growth("prompt", FEW, "keep-disposed");
      expect(arrays).toBeGreaterThan(ARRAYS);
    },
    PATIENCE,
  );
});

test("a cache's bytes are its entries' and a tail's of 16 entries times a power of two, in forks too", async () => {
  using model = await tinyModel({ layers: LAYERS, kvHeads: KV_HEADS, headDim: HEAD_DIM });
  const method = pyramidKV({ budget: BUDGET });
  const prompt = Int32Array.from({ length: 60 }, (_, i) => (i * 7) % 64);
  using context = await prefill(model, prompt, { observe: [method] });
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
