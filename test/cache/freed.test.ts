/** Eviction gives memory back: what a disposed context held is free, and what a compressed cache holds is what it says. */

import { test } from "bun:test";
import assert from "node:assert/strict";
import { compress, type KvCache, prefill, snapKV, step, streamingWindow } from "../../src/index.ts";
import { tinyModel } from "../support/tiny-model.ts";

/**
 * Bytes of typed arrays that each call adds. From several calls, whose results are all kept, because a frame that has returned may
 * hold something until its place on the stack is used again: that is there once, however many calls there were.
 */
async function added(make: () => Promise<unknown>): Promise<number> {
  const kept: unknown[] = [];
  const held: number[] = [];
  for (let round = 0; round < 12; round++) {
    kept.push(await make());
    for (let pass = 0; pass < 3; pass++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      Bun.gc(true);
    }
    held.push(process.memoryUsage().arrayBuffers);
  }
  assert.equal(kept.length, held.length);
  // The first calls make what is made once. Of the others most add what a call adds, though one may be collected late.
  const steps = held.slice(3).map((now, i) => now - (held[i + 2] ?? now));
  return steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? Number.NaN;
}

const promptOf = (length: number) => Int32Array.from({ length }, (_, i) => i % 64);
const bytesOf = (caches: readonly KvCache[]) => caches.reduce((sum, { bytes }) => sum + bytes, 0);

test("a compressed cache keeps its own bytes alive and no more of its context", async () => {
  using model = await tinyModel({ layers: 3, headDim: 32 });
  const prompt = promptOf(500);
  const method = snapKV({ budget: 16 });
  const context = () => prefill(model, prompt, { observe: [method] });
  using full = await context();
  assert.ok((await added(context)) >= full.cache.bytes);
  using cache = await compress(full, method);
  const small = await added(async () => {
    using whole = await context();
    return await compress(whole, method);
  });
  // Beside keys and values: positions, logits and offsets, a few hundred bytes each.
  assert.ok(
    small >= cache.bytes && small < cache.bytes + 16_384,
    `${small} bytes hold a cache of ${cache.bytes}, evicted from ${full.cache.bytes}`,
  );
  assert.equal(cache.bytes * 500, full.cache.bytes * 16);
});

test("what a batch copied of its caches goes with them", async () => {
  using model = await tinyModel({ layers: 3, headDim: 32 });
  const grown = await added(async () => {
    using one = await prefill(model, promptOf(500));
    using other = await prefill(model, promptOf(400));
    await model.engine.step([one, other].map(({ cache }, token) => ({ token, cache })));
  });
  assert.ok(grown < 1000, `${grown} bytes are left of a batch`);
});

test("what decoding evicts is given back, although the cache was decoded on before, alone and in a batch", async () => {
  using model = await tinyModel({ layers: 3, headDim: 32 });
  const evict = streamingWindow({ budget: 16 });
  const evicted = async () => {
    using one = await prefill(model, promptOf(500));
    using other = await prefill(model, promptOf(400));
    const caches = [one.cache.fork(), other.cache.fork()];
    for (const cache of caches) await step(model, cache, 1);
    await model.engine.step(caches.map((cache, token) => ({ token, cache })));
    for (const cache of caches) await step(model, cache, 1, { evict });
    return caches;
  };
  const small = bytesOf(await evicted());
  const left = await added(evicted);
  assert.ok(left < 2 * small + 32_768, `${left} bytes hold caches of ${small}`);
});
