/**
 * Prompts come and go on a small random model, and what memory did is printed as JSON: `cycles-process.ts CYCLE COUNT [keep]`, where
 * `keep` disposes nothing until the end, and `keep-disposed` keeps what it has disposed.
 */
import { compress, generateBatch, prefill, pyramidKV, step } from "../../src/index.ts";
import { tinyModel } from "./tiny-model.ts";

export const LAYERS = 3;
export const KV_HEADS = 2;
export const HEAD_DIM = 64;
export const BUDGET = 16;
/** Memory is read after each of as many equal blocks of cycles. */
export const BLOCKS = 20;

/** Bytes after each block of cycles. */
export interface Readings {
  readonly resident: readonly number[];
  /** Of typed arrays, counted exactly. */
  readonly arrays: readonly number[];
}

/** Takes everything that a cycle makes. */
type Keeper = <T extends Disposable>(made: T) => T;

if (import.meta.main) {
  const [name = "", count = "", keep = ""] = process.argv.slice(2);
  console.log(JSON.stringify(await readings(name, Number(count), keep)));
}

async function readings(name: string, count: number, keep: string): Promise<Readings> {
  using model = await tinyModel({ layers: LAYERS, kvHeads: KV_HEADS, headDim: HEAD_DIM });
  const method = pyramidKV({ budget: BUDGET });
  const prompt = (length: number) =>
    prefill(
      model,
      Int32Array.from({ length }, (_, i) => (i * 7) % 64),
      { observe: [method] },
    );
  const cycles: Readonly<Record<string, (own: Keeper) => Promise<void>>> = {
    async prompt(own) {
      own(await prompt(128));
    },
    async single(own) {
      const cache = own(await compress(own(await prompt(128)), method));
      await step(model, cache, 1);
    },
    async forks(own) {
      const cache = own(await compress(own(await prompt(128)), method));
      const forks = [1, 2, 3, 4].map(() => own(cache.fork()));
      await model.engine.step(forks.map((fork, token) => ({ token, cache: fork })));
      for (const fork of forks.slice(0, 1)) await step(model, own(fork.fork()), 5);
    },
    async batch(own) {
      const contexts = [own(await prompt(64)), own(await prompt(50))];
      const caches = await Promise.all(contexts.map(async (context) => own(await compress(context, method))));
      await generateBatch(model, [...caches, ...contexts.map(({ cache }) => cache)], { maxNewTokens: 2 });
    },
  };
  const cycle = cycles[name];
  if (!cycle) throw new Error(`no cycle ${name}`);
  const kept: Disposable[] = [];
  const once = async () => {
    using stack = new DisposableStack();
    await cycle((made) => {
      if (keep) kept.push(made);
      return keep === "keep" ? made : stack.use(made);
    });
  };
  const seen: NodeJS.MemoryUsage[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    for (let i = 0; i < count / BLOCKS; i++) await once();
    // Several times, because feeds are let go of a turn later, and a frame that has returned may hold something for a while.
    for (let pass = 0; pass < 3; pass++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      Bun.gc(true);
    }
    seen.push(process.memoryUsage());
  }
  for (const made of kept) made[Symbol.dispose]();
  return { resident: seen.map(({ rss }) => rss), arrays: seen.map(({ arrayBuffers }) => arrayBuffers) };
}
