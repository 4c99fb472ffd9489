/** Tokens drawn on the device are those that its logits give in memory. */
import { expect, spyOn, test } from "bun:test";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import {
  type Engine,
  everySteps,
  generate,
  generateBatch,
  h2o,
  heavyHitters,
  prefill,
  snapKV,
  streamingWindow,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { randomWeights, tinyConfig } from "../support/random-model.ts";
import { softwareGpu } from "../support/software-gpu.ts";
import { tinyModel } from "../support/tiny-model.ts";

const shape = { layers: 2, headDim: 16 };
const config = tinyConfig(shape);

test("in one submission of work, once pages and programs are there", async () => {
  using engine = await webgpuEngine(config, randomWeights(config, 1), await softwareGpu());
  using cpu = await tinyModel(shape);
  const tokens = Int32Array.from({ length: 30 }, (_, i) => (i * 11) % 64);
  using context = await prefill({ ...cpu, engine }, tokens);
  const sampling = { temperature: 1, topK: 5, topP: 0.9 };
  const drawn = () => engine.draw?.([{ token: 3, cache: context.cache }], sampling, [0.5]);
  await drawn();
  const submit = spyOn(GPUQueue.prototype, "submit");
  for (let i = 1; i <= 3; i++) {
    await drawn();
    expect(submit.mock.calls.length).toBe(i);
  }
  submit.mockRestore();
}, 60_000);

test("by every limit, alone, in batches and beside policies; and their logits stay there", async () => {
  using engine = await webgpuEngine(config, randomWeights(config, 1), await softwareGpu());
  using cpu = await tinyModel(shape);
  let drawn = 0;
  const drawing: Engine = {
    ...engine,
    draw: (...given) => {
      drawn++;
      return engine.draw?.(...given) ?? Promise.reject(new Error("nothing drawn"));
    },
  };
  const model = { ...cpu, engine: drawing };
  const looking = { ...cpu, engine: { ...engine, draw: null } };
  const tokens = Int32Array.from({ length: 30 }, (_, i) => (i * 11) % 64);
  using context = await prefill(model, tokens, { observe: [h2o({ budget: 16 })] });
  for (const sampling of [
    { temperature: 0 },
    { temperature: 1.5 },
    { temperature: 1, topK: 5 },
    { temperature: 2, topP: 0.7 },
    { temperature: 1, topK: 9, topP: 0.9, minNewTokens: 3, stopTokens: [1, 2, 3, 4] },
  ])
    for (const evict of [undefined, streamingWindow({ budget: 20 })]) {
      const options = { ...sampling, seed: 3, maxNewTokens: 6, ...(evict === undefined ? {} : { evict }) };
      const expected = await generate(looking, context.cache, options);
      expect((await generate(model, context.cache, options)).tokens).toEqual(expected.tokens);
    }
  expect(drawn).toBeGreaterThan(20);
  const batch = {
    temperature: 1.3,
    seed: 5,
    maxNewTokens: 5,
    evict: everySteps(snapKV({ budget: 24 }), { every: 8 }),
  };
  const both = [context.cache, context.cache];
  const alone = await generateBatch(looking, both, batch);
  expect((await generateBatch(model, both, batch)).map(({ tokens }) => tokens)).toEqual(
    alone.map(({ tokens }) => tokens),
  );
  // What watches attention needs the logits' scores beside them.
  drawn = 0;
  await generate(model, context.cache, { maxNewTokens: 3, evict: heavyHitters({ budget: 20 }) });
  expect(drawn).toBe(0);
  using cache = context.cache.fork();
  await engine.draw?.([{ token: 1, cache }], { temperature: 0, topK: 0, topP: 1 }, [0]);
  expect(await faultOf(() => cache.logits)).toMatchObject({ code: "on_device", path: ["cache", "logits"] });
  expect(cache.length).toBe(31);
}, 60_000);
