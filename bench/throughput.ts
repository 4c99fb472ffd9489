/**
 * Speed and memory of the main job: prefill, compression and decoding of the default model (or `--model REF`).
 *
 * Medians of `--repeat` runs; machines are shared and noisy, so compare figures of one run with each other.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import {
  compress,
  full,
  h2o,
  loadModel,
  type Method,
  type Model,
  prefill,
  pyramidKV,
  snapKV,
  step,
} from "../src/index.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    lengths: { type: "string", default: "512,2048,8000" },
    budget: { type: "string", default: "128" },
    repeat: { type: "string", default: "3" },
  },
});
const lengths = values.lengths.split(",").map(Number);
const budget = Number(values.budget);
const repeat = Number(values.repeat);
const DECODED = 16;

const seconds = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const started = performance.now();
  return [await work(), (performance.now() - started) / 1000];
};
const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const peakMiB = () => process.resourceUsage().maxRSS / 1024;
/** Arbitrary but fixed tokens; their meaning does not change the work. */
const promptOf = (model: Model, length: number) =>
  Int32Array.from({ length }, (_, i) => (i * 7919) % model.config.vocabSize);

async function measure(model: Model, length: number, method: Method): Promise<string[]> {
  const runs: { prefill: number; compress: number; decode: number; bytes: number }[] = [];
  for (let i = 0; i < repeat; i++) {
    const [context, prefillSeconds] = await seconds(() =>
      prefill(model, promptOf(model, length), { observe: [method] }),
    );
    const [cache, compressSeconds] = await seconds(() => compress(context, method));
    const { bytes } = cache;
    await step(model, cache, 1);
    const [, decodeSeconds] = await seconds(async () => {
      for (let t = 0; t < DECODED; t++) await step(model, cache, t);
    });
    cache[Symbol.dispose]();
    context[Symbol.dispose]();
    runs.push({ prefill: prefillSeconds, compress: compressSeconds, decode: decodeSeconds, bytes });
  }
  return [
    String(length),
    Number.isFinite(method.budget) ? `${method.name} ${method.budget}` : method.name,
    (length / median(runs.map((run) => run.prefill))).toFixed(0),
    (1000 * median(runs.map((run) => run.compress))).toFixed(0),
    (DECODED / median(runs.map((run) => run.decode))).toFixed(1),
    (median(runs.map((run) => run.bytes)) / 2 ** 20).toFixed(1),
    peakMiB().toFixed(0),
  ];
}

const [model, loadSeconds] = await seconds(() => loadModel(values.model));
const table = new Table({
  head: ["prompt", "method", "prefill tok/s", "compress ms", "decode tok/s", "KV MiB", "peak MiB so far"],
  style: { head: [], border: [] },
});
const loadedMiB = peakMiB();
for (const length of lengths) {
  const methods = [full(), snapKV({ budget }), pyramidKV({ budget }), h2o({ budget })];
  for (const method of methods) table.push(await measure(model, length, method));
}
console.log(table.toString());
console.log(`loaded in ${loadSeconds.toFixed(2)} s, peak ${loadedMiB.toFixed(0)} MiB; median of ${repeat}`);
console.log(JSON.stringify(await model.provenance()));
model[Symbol.dispose]();
