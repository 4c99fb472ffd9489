/** What compact caches take on a device: their entries once for all that share them, and nothing once the last of these is gone. */
import { afterAll, test } from "bun:test";
import assert from "node:assert/strict";
import { bytesOf } from "../../src/cache/compact/entries.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import {
  adaKV,
  compress,
  type KvCache,
  type Method,
  miniCache,
  prefill,
  quantised,
  step,
  thinK,
} from "../../src/index.ts";
import { softwareGpu } from "../support/software-gpu.ts";
import { tinyModel } from "../support/tiny-model.ts";

const prompt = Int32Array.from({ length: 120 }, (_, i) => (i * 29 + 5) % 64);
/** Each with as many tokens as it takes for generated entries to settle, where they do. */
const forms: readonly (readonly [name: string, tokens: number, inForm: (method: Method) => Method])[] = [
  ["quantised", 33, (method) => quantised(thinK(method, { window: 4 }), { bits: 4, recent: 2 })],
  ["pruned", 2, (method) => thinK(method, { window: 4 })],
  ["shared", 2, (method) => miniCache(method, { from: 0, retention: 0, recent: 2 })],
];

const gpu = await softwareGpu();
const { weights, ...rest } = await tinyModel({ layers: 2, headDim: 16 });
const model = { ...rest, engine: await webgpuEngine(rest.config, weights, gpu) };
afterAll(() => model.engine[Symbol.dispose]());

for (const [name, tokens, inForm] of forms)
  test(`entries that are ${name} are on the device once for all forks, and go with the last of them`, async () => {
    const method = inForm(adaKV({ budget: 90 }));
    using context = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(context, method);
    const decode = async (one: KvCache, count: number) => {
      for (let i = 0; i < count; i++) await step(model, one, (7 * i) % 64);
    };
    const taken = async (count: number) => {
      using fork = cache.fork();
      await decode(fork, count);
      return gpu.used;
    };
    await taken(tokens); // makes what runs work in
    const before = gpu.used;
    const alone = await taken(1);
    assert.ok(cache.compact !== null && alone >= before + bytesOf(cache.compact));
    assert.equal(gpu.used, before);
    {
      using one = cache.fork();
      await decode(one, 1);
      assert.equal(await taken(1), alone);
      using other = one.fork();
      one[Symbol.dispose]();
      assert.equal(gpu.used, alone);
      await decode(other, 1);
      assert.equal(gpu.used, alone);
    }
    assert.equal(gpu.used, before);
    await taken(tokens);
    assert.equal(gpu.used, before);
  });
