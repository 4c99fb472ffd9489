/** Decodes many tokens with eviction on a small random model and prints what memory did, as JSON: `soak-process.ts POLICY STEPS BUDGET`. */
import {
  type DecodingPolicy,
  everySteps,
  heavyHitters,
  KvCache,
  prefill,
  snapKV,
  step,
  streamingWindow,
  tokenOmission,
} from "../../src/index.ts";
import { tinyModel } from "./tiny-model.ts";

export interface Soak {
  /** Entries that each head holds at last. */
  readonly lengths: readonly number[];
  /** Every size that the cache ever had. */
  readonly cacheBytes: readonly number[];
  /** Bytes of one entry of every layer and head. */
  readonly entryBytes: number;
  /** Resident bytes, as time went by. */
  readonly resident: readonly number[];
}

/** Tokens between two looks at memory. */
const EVERY = 250;

const POLICIES: Readonly<Record<string, (budget: number) => DecodingPolicy>> = {
  streamingWindow: (budget) => streamingWindow({ budget }),
  "streamingWindow, positions in the cache": (budget) => streamingWindow({ budget, positions: "cache" }),
  heavyHitters: (budget) => heavyHitters({ budget }),
  tokenOmission: (budget) => tokenOmission({ budget }),
  "everySteps of snapKV": (budget) => everySteps(snapKV({ budget }), { every: 10 }),
};

const [name = "", ...counts] = process.argv.slice(2);
const [steps = 0, budget = 0] = counts.map(Number);
const evict = POLICIES[name]?.(budget);
if (evict === undefined) throw new RangeError(`no policy ${name}`);
const contextLength = evict.endless ? 200 : steps + 100;
using model = await tinyModel({ queryHeads: 4, kvHeads: 4, headDim: 16, contextLength });
using context = await prefill(
  model,
  Int32Array.from({ length: 100 }, (_, i) => (i * 7) % 64),
  { observe: [evict] },
);
using cache = context.cache.fork();

// The engine's table of angles doubles as positions grow, up to the model's context: all of it is made before anything is measured.
await step(model, new KvCache({ ...contents(cache), length: model.config.contextLength - 1 }), 0);
const cacheBytes = new Set<number>();
const resident: number[] = [];
for (let done = 1; done <= steps; done++) {
  await step(model, cache, (done * 13) % 64, { evict });
  cacheBytes.add(cache.bytes);
  if (done % EVERY !== 0) continue;
  Bun.gc(true);
  resident.push(process.memoryUsage().rss);
}
const { layers, kvHeads, headDim } = model.config;
const lengths = [...new Set(cache.lengths.flat())];
const soak: Soak = { lengths, cacheBytes: [...cacheBytes], entryBytes: layers * kvHeads * headDim * 2 * 4, resident };
console.log(JSON.stringify(soak));

function contents({ model, geometry, layers, logits }: KvCache) {
  return { model, geometry, layers, logits };
}
