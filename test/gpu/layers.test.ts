/** Layer by layer no more is on the device than one layer in full, what goes from layer to layer, and what was kept below. */
import { expect, test } from "bun:test";
import { byLayer } from "../../src/compress-by-layer.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import { adaKV, cake, type Engine, h2o, kvzip, pyramidKV, readAhead, snapKV, streamingLLM } from "../../src/index.ts";
import { keptBytes } from "../support/cache-bytes.ts";
import { randomWeights, tinyConfig } from "../support/random-model.ts";
import { softwareGpu } from "../support/software-gpu.ts";
import { tinyModel } from "../support/tiny-model.ts";

const shape = { layers: 6, kvHeads: 4, queryHeads: 4, headDim: 64 };
const config = tinyConfig(shape);
const LENGTH = 300;
const ELEMENT = 4;
const tokens = Int32Array.from({ length: LENGTH }, (_, i) => (i * i + 7 * i) % config.vocabSize);
const one = config.kvHeads * LENGTH * (2 * config.headDim + 1) * ELEMENT;
const passedOn = LENGTH * config.hiddenSize * ELEMENT;
/** For a chunk's activations, lists of rows, and pages that pools make room for. */
const chunk = 32;

test("at no time two layers are held in full, and in the end what was kept", async () => {
  const gpu = await softwareGpu();
  using engine = await webgpuEngine(config, randomWeights(config, 1), gpu);
  using cpu = await tinyModel(shape);
  const base = gpu.used;
  const held: number[] = [];
  const watched: Engine = {
    ...engine,
    prefillByLayer: (request) =>
      engine.prefillByLayer?.({
        ...request,
        choose(layer, seen) {
          held.push(gpu.used - base);
          return request.choose(layer, seen);
        },
      }) ?? Promise.reject(new Error("no layers")),
  };
  const model = { ...cpu, engine: watched };
  const run = await byLayer(model, snapKV({ budget: 32 }), tokens);
  if (typeof run === "string") throw new Error(run);
  {
    using cache = await run({ chunk });
    expect(cache.bytes).toBe(keptBytes(model, cache.lengths));
    const rest = Math.max(...held) - one - passedOn;
    // What is left is alike in every layer: activations of a chunk, and empty pages.
    expect(rest).toBeLessThan(one);
    expect(Math.max(...held) - Math.min(...held)).toBeLessThan(one / 4);
  }
}, 60_000);

test("what sees one layer at a time runs so, and what must see them all says that", async () => {
  using cpu = await tinyModel(shape);
  const model = { ...cpu, engine: { ...cpu.engine, prefillByLayer: () => Promise.reject(new Error("not run here")) } };
  const budget = 40;
  for (const method of [
    snapKV({ budget }),
    pyramidKV({ budget }),
    adaKV({ budget }),
    h2o({ budget }),
    readAhead({ budget }),
    streamingLLM({ budget }),
  ])
    expect(typeof (await byLayer(model, method, tokens))).toBe("function");
  for (const method of [cake({ budget }), kvzip({ budget })])
    expect(typeof (await byLayer(model, method, tokens))).toBe("string");
  expect(await byLayer(cpu, snapKV({ budget }), tokens)).toContain("onnxruntime");
});
