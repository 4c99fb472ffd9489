/**
 * What a worker costs: the same work on JavaScript's thread and on a worker's, on the default model (or `--model REF`), in turns.
 *
 * Least wall time of `--rounds` rounds; machines are shared and noisy, so compare figures of one run with each other.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { compress, type KvCache, loadModel, type Model, prefill, pyramidKV } from "../src/index.ts";
import { sixMethods } from "./six-methods.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    length: { type: "string", default: "1000" },
    rounds: { type: "string", default: "12" },
  },
});
const rounds = Number(values.rounds);
const STEPS = 6;

const [here, there] = await Promise.all([false, true].map((worker) => loadModel(values.model, { worker })));
if (here === undefined || there === undefined) throw new Error("no models");
const models = [here, there] as const;
const prompt = Int32Array.from({ length: Number(values.length) }, (_, i) => (i * 7919) % here.config.vocabSize);
const configurations = sixMethods.flatMap((factory) => [64, 128, 256].map((budget) => factory({ budget })));

/** Work on one model, told the round; each gives the milliseconds of one unit of it. */
type Work = (model: Model, round: number) => Promise<number>;

async function measure(name: string, work: Work): Promise<string[]> {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round <= rounds; round++) {
    for (const [i, model] of models.entries()) {
      const took = await work(model, round);
      if (round > 0) least[i] = Math.min(least[i] ?? 0, took); // the first packs, and wakes threads
      await new Promise((resolve) => setTimeout(resolve, 50)); // onnxruntime's threads spin for a while
    }
  }
  const [ours = 0, theirs = 0] = least;
  const more = theirs - ours;
  return [name, ours.toFixed(2), theirs.toFixed(2), more.toFixed(2), `${((100 * more) / ours).toFixed(1)} %`];
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The least of a few steps, so that one undisturbed step is enough. */
const steps =
  (caches: ReadonlyMap<Model, readonly KvCache[]>): Work =>
  async (model, round) => {
    const batch = caches.get(model)?.map((cache) => ({ token: 1000 + round, cache })) ?? [];
    const forks = batch.map(({ token, cache }) => ({ token, cache: cache.fork() }));
    await model.engine.step(forks);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < STEPS; i++) least = Math.min(least, await time(() => model.engine.step(forks)));
    return least;
  };

const contexts = new Map(
  await Promise.all(
    models.map(async (model) => [model, await prefill(model, prompt, { observe: configurations })] as const),
  ),
);
const compressed = new Map<Model, readonly KvCache[]>();
for (const [model, context] of contexts) {
  const caches: KvCache[] = [];
  for (const method of configurations) caches.push(await compress(context, method));
  compressed.set(model, caches);
}
const each = (pick: (model: Model) => readonly KvCache[]) => new Map(models.map((model) => [model, pick(model)]));
const last = (model: Model) => compressed.get(model)?.slice(-2, -1) ?? [];

const table = new Table({
  head: ["ms", "here", "worker", "more", ""],
  style: { head: [], border: [] },
});
table.push(await measure("step, budget 128", steps(each(last))));
table.push(
  await measure(`step, full at ${prompt.length}`, steps(each((model) => [contexts.get(model)?.cache ?? []].flat()))),
);
table.push(
  await measure("step, 16 forks", steps(each((model) => new Array<KvCache[]>(16).fill([...last(model)]).flat()))),
);
table.push(await measure("step, 18 caches", steps(each((model) => compressed.get(model) ?? []))));
table.push(
  await measure("PyramidKV, budget 128", async (model) => {
    const context = contexts.get(model);
    return context === undefined ? 0 : await time(() => compress(context, pyramidKV({ budget: 128 })));
  }),
);
table.push(await measure("prefill, 512 tokens", (model) => time(() => prefill(model, prompt.subarray(0, 512)))));
console.log(table.toString());
console.log(`least of ${rounds} rounds, in turns`);
console.log(JSON.stringify(await here.provenance()));
for (const model of models) model[Symbol.dispose]();
