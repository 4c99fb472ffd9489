/**
 * Batched decoding of the default model (or `--model REF`): each batch in one call of `engine.step`, and the same sequences one after
 * the other, in turns, so that both meet the same noise.
 *
 * Medians of `--steps` steps, wall and CPU time (user and system, all threads). The prompt has `--length` tokens.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { PADDING, packed } from "../src/engine/onnx/batch/pages.ts";
import { plan } from "../src/engine/onnx/batch/plan.ts";
import { compress, type KvCache, loadModel, type Model, prefill, retain } from "../src/index.ts";
import { sixMethods } from "./six-methods.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    length: { type: "string", default: "1000" },
    budgets: { type: "string", default: "64,128,256" },
    /** Of the prompt whose heads keep unequal numbers of entries. */
    long: { type: "string", default: "2048" },
    steps: { type: "string", default: "9" },
  },
});
const [length, long] = [Number(values.length), Number(values.long)];
const budgets = values.budgets.split(",").map(Number);
const steps = Number(values.steps);

interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** Milliseconds. */
async function cost(work: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  const wall = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { wall, cpu: (user + system) / 1000 };
}

const medians = (costs: readonly Cost[]): Cost => ({
  wall: median(costs.map(({ wall }) => wall)),
  cpu: median(costs.map(({ cpu }) => cpu)),
});

/** How the batch is run, and the share of padding in what is packed for it. */
function layout(model: Model, caches: readonly KvCache[]): string {
  return plan(caches.map((cache) => ({ token: 0, cache })))
    .map(({ kind, groups }) => {
      if (kind !== "packed") return kind;
      const pages = packed(
        groups.map(({ layers }) => layers),
        model.config,
      );
      const positions = pages.layers.flatMap((layer) => [...layer.positions]);
      const padding = positions.filter((position) => position === PADDING).length;
      return `packed, ${((100 * padding) / positions.length).toFixed(0)} % padding`;
    })
    .join("; ");
}

/** Decodes all caches as one batch and one by one, in turns. */
async function measure(model: Model, name: string, caches: readonly KvCache[]): Promise<string[]> {
  const { engine } = model;
  const together = caches.map((cache) => cache.fork());
  const alone = caches.map((cache) => cache.fork());
  const batched: Cost[] = [];
  const single: Cost[] = [];
  for (let i = -1; i < steps; i++) {
    const token = (1000 + i) % model.config.vocabSize;
    const batch = await cost(() => engine.step(together.map((cache) => ({ token, cache }))));
    const each = await cost(async () => {
      for (const cache of alone) await engine.step([{ token, cache }]);
    });
    if (i < 0) continue; // the first step packs
    batched.push(batch);
    single.push(each);
  }
  for (const cache of [...together, ...alone]) cache[Symbol.dispose]();
  const [batch, each] = [medians(batched), medians(single)];
  return [
    name,
    String(caches.length),
    each.wall.toFixed(1),
    each.cpu.toFixed(0),
    batch.wall.toFixed(1),
    batch.cpu.toFixed(0),
    ((1000 * caches.length) / batch.wall).toFixed(0),
    `${(each.wall / batch.wall).toFixed(1)}x`,
    `${(each.cpu / batch.cpu).toFixed(1)}x`,
    layout(model, caches),
  ];
}

using model = await loadModel(values.model);
const methods = sixMethods;
const configurations = methods.flatMap((factory) => budgets.map((budget) => factory({ budget })));
const promptOf = (seed: number, n: number) =>
  Int32Array.from({ length: n }, (_, i) => (i * 7919 + seed * 104_729) % model.config.vocabSize);
const forks = (cache: KvCache, count: number) => Array.from({ length: count }, () => cache.fork());

using context = await prefill(model, promptOf(0, length), { observe: configurations });
const compressed: { budget: number; cache: KvCache }[] = [];
for (const method of configurations) compressed.push({ budget: method.budget, cache: await compress(context, method) });
const small = compressed.at(-2);
if (small === undefined) throw new Error("no configuration");

const table = new Table({
  head: ["batch", "B", "alone ms", "CPU ms", "batch ms", "CPU ms", "summed tok/s", "gain", "CPU gain", "runs"],
  style: { head: [], border: [] },
});
table.push(await measure(model, `one, budget ${small.budget}`, [small.cache]));
for (const count of [2, 4, 8, 16, 32])
  table.push(await measure(model, `forks, budget ${small.budget}`, forks(small.cache, count)));
for (const count of [4, 16]) table.push(await measure(model, `forks, full at ${length}`, forks(context.cache, count)));
table.push(
  await measure(
    model,
    `${methods.length} methods x ${budgets.length} budgets`,
    compressed.map(({ cache }) => cache),
  ),
);

using unequal = await prefill(model, promptOf(1, long));
const [most, few] = [long - 48, Math.round(long / 32)];
/** The first head keeps nearly all entries and the others few, or all the mean of that. */
const keeping = (counts: (head: number) => number) =>
  retain(
    unequal,
    Array.from({ length: model.config.layers }, () =>
      Array.from({ length: model.config.kvHeads }, (_, head) => Int32Array.from({ length: counts(head) }, (_, i) => i)),
    ),
  );
const { kvHeads } = model.config;
const even = Math.round((most + few * (kvHeads - 1)) / kvHeads);
for (const [name, counts] of [
  [`one head ${most}, others ${few}`, (head: number) => (head === 0 ? most : few)],
  [`all heads ${even}`, () => even],
] as const) {
  table.push(await measure(model, name, [await keeping(counts), await keeping(counts)]));
  table.push(await measure(model, `${name}, forks`, forks(await keeping(counts), 4)));
}
console.log(table.toString());
console.log(`medians of ${steps} steps, in turns; CPU is of all threads, user and system`);
console.log(JSON.stringify(await model.provenance()));
