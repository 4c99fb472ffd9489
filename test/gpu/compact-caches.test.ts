/** What compact caches take on a device: their entries once for all that share them, and nothing once the last of these is gone. */
import { afterAll, test } from "bun:test";
import assert from "node:assert/strict";
import { bytesOf } from "../../src/cache/compact/entries.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import {
  adaKV,
  compress,
  extend,
  type KvCache,
  type Method,
  miniCache,
  prefill,
  quantised,
  step,
  thinK,
} from "../../src/index.ts";
import { inFp32 } from "../support/compact.ts";
import { maxDifference } from "../support/golden.ts";
import { TOLERANCE } from "../support/network-laws.ts";
import { softwareGpu } from "../support/software-gpu.ts";
import { tinyModel } from "../support/tiny-model.ts";

const TOKENS = Int32Array.from({ length: 34 }, (_, i) => (7 * i) % 64);
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

async function decode(cache: KvCache, count: number): Promise<void> {
  for (const token of TOKENS.subarray(0, count)) await step(model, cache, token);
}

for (const [name, tokens, inForm] of forms)
  test(`entries that are ${name} are on the device once for all forks, and go with the last of them`, async () => {
    const method = inForm(adaKV({ budget: 90 }));
    using context = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(context, method);
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

test("a step whose entries cannot settle changes nothing, and the next may", async () => {
  const method = quantised(adaKV({ budget: 60 }), { bits: 8, recent: 2 });
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  await decode(cache, 31);
  using fork = cache.fork();
  const { device, bytes, length } = cache;
  assert.ok(device !== null);
  const { read } = device;
  device.read = () => Promise.reject(new Error("the device is lost"));
  await assert.rejects(step(model, cache, 9), /lost/);
  assert.deepEqual([cache.bytes, cache.length, cache.added], [bytes, length, 31]);
  device.read = read;
  for (const token of [9, 5])
    assert.ok(maxDifference(await step(model, cache, token), await step(model, fork, token)) < TOLERANCE);
  assert.equal(cache.added, 1);
});

test("generated entries settle on the way, in steps or in one go, and forks go on with them", async () => {
  const method = quantised(adaKV({ budget: 90 }), { bits: 8, recent: 2 });
  using context = await prefill(model, prompt, { observe: [method] });
  using stepped = await compress(context, method);
  using extended = stepped.fork();
  const before = stepped.compact?.values.codes.length ?? 0;
  await decode(stepped, TOKENS.length);
  await extend(model, extended, TOKENS, { chunk: 50 });
  assert.deepEqual(extended.lengths, stepped.lengths);
  for (const { compact, added } of [stepped, extended]) {
    assert.equal(compact?.values.codes.length, before + 32 * 2 * 2 * 16); // a block of each head
    assert.equal(added, 2);
  }
  using fork = stepped.fork();
  using copy = await stepped.inMemory();
  using twin = inFp32(copy);
  const expected = await step(model, twin, 5);
  for (const cache of [stepped, fork, extended])
    assert.ok(maxDifference(await step(model, cache, 5), expected) < TOLERANCE);
});
