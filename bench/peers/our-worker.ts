/** pyramidkv behind the workers' protocol. */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { InferenceSession } from "onnxruntime-node";
import {
  compress,
  full,
  generateBatch,
  h2o,
  type KvCache,
  loadModel,
  type Method,
  prefill,
  pyramidKV,
  snapKV,
  step,
  streamingLLM,
  version,
  window,
} from "../../src/index.ts";
import { type Answer, METHODS, type MethodName, promptOf, type Request, serve, THREADS, timed } from "./protocol.ts";
import { prefillFlops, stepBytes, weightBytes } from "./work.ts";

const makers: Record<MethodName, (budget: number) => Method> = {
  full: () => full(),
  window: (budget) => window({ budget }),
  streaming: (budget) => streamingLLM({ budget }),
  h2o: (budget) => h2o({ budget }),
  snapkv: (budget) => snapKV({ budget }),
  pyramidkv: (budget) => pyramidKV({ budget }),
};

/** Seconds inside onnxruntime's `run`, its conversion of feeds and outputs included. */
let network = 0;
// Typed as a factory, but a class.
const session = (InferenceSession as unknown as { prototype: InferenceSession }).prototype;
const run = session.run;
session.run = async function (this: InferenceSession, ...args: Parameters<typeof run>) {
  const started = performance.now();
  try {
    return await run.apply(this, args);
  } finally {
    network += (performance.now() - started) / 1000;
  }
} as typeof run;

const { values, positionals } = parseArgs({
  options: { precision: { type: "string", default: "fp32" } },
  allowPositionals: true,
});
const precision = values.precision === "fast" ? "fast" : "fp32";
const model = await loadModel(positionals[0], { threads: THREADS, progress: false, precision });
const { config } = model;
const held = new Map<string, KvCache>();
const tokensOf = (length: number) => Int32Array.from(promptOf(length, config.vocabSize));

/** Linux counts a process's peak; writing 5 to clear_refs starts it anew. */
const status = (field: string) =>
  1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? Number.NaN);

async function memory(length: number): Promise<Answer> {
  Bun.gc(true);
  writeFileSync("/proc/self/clear_refs", "5");
  const before = status("VmRSS");
  const answer = await timed(async () => void (await prefill(model, tokensOf(length))));
  const { layers, kvHeads, headDim } = config;
  const cache = length * layers * 2 * kvHeads * headDim * 4;
  return { ...answer, parts: { peak: status("VmHWM"), before, weights: weightBytes(config), cache } };
}

const handle = (request: Request): Promise<Answer> => {
  switch (request.op) {
    case "prefill":
      return timed(async () => {
        const method = makers[request.method](request.budget);
        using context = await prefill(model, tokensOf(request.length), { observe: [method] });
        const started = performance.now();
        const cache = await compress(context, method);
        held.get(request.hold)?.[Symbol.dispose]();
        held.set(request.hold, cache);
        const compressed = (performance.now() - started) / 1000;
        return { compress: compressed, flops: prefillFlops(config, request.length) };
      });
    case "decode":
      return timed(async () => {
        const original = held.get(request.held);
        if (original === undefined) throw new RangeError(`nothing held as ${request.held}`);
        using cache = original.fork();
        const bytes = request.steps * stepBytes(config, cache.bytes);
        const before = network;
        const started = performance.now();
        for (let i = 0; i < request.steps; i++) await step(model, cache, (31 * i) % config.vocabSize);
        return { outside: (performance.now() - started) / 1000 - (network - before), bytes };
      });
    case "sweep":
      return timed(async () => {
        const methods = METHODS.flatMap((name) => request.budgets.map((budget) => makers[name](budget)));
        using context = await prefill(model, tokensOf(request.length), { observe: methods });
        const caches = await Promise.all(methods.map((method) => compress(context, method)));
        await generateBatch(model, caches, { maxNewTokens: request.steps, stopTokens: [] });
        for (const cache of caches) cache[Symbol.dispose]();
        return {};
      });
    case "drop":
      return timed(async () => {
        for (const cache of held.values()) cache[Symbol.dispose]();
        held.clear();
        Bun.gc(true);
        return {};
      });
    case "memory":
      return memory(request.length);
    case "limit":
      throw new RangeError("limit-worker.ts answers that");
  }
};

await serve(
  `pyramidkv ${version}, ${model.engine.name} ${model.engine.version}, ${precision}, Bun ${Bun.version}`,
  handle,
);
