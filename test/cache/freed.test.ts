/** Eviction gives memory back: what a disposed context held is free, and what a compressed cache holds is what it says. */

import { test } from "bun:test";
import assert from "node:assert/strict";
import { compress, prefill, snapKV, step, streamingWindow } from "../../src/index.ts";
import { tinyModel } from "../support/tiny-model.ts";

/**
 * Bytes of all typed arrays alive: the least of several collections, because a frame that has returned may hold something until its
 * place on the stack is used again.
 */
async function held(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    Bun.gc(true);
    least = Math.min(least, process.memoryUsage().arrayBuffers);
  }
  return least;
}

const promptOf = (length: number) => Int32Array.from({ length }, (_, i) => i % 64);

test("a compressed cache keeps its own bytes alive and no more of its context", async () => {
  using model = await tinyModel({ layers: 3, headDim: 32 });
  const prompt = promptOf(500);
  const method = snapKV({ budget: 16 });
  const warm = await prefill(model, prompt, { observe: [method] });
  (await compress(warm, method))[Symbol.dispose]();
  warm[Symbol.dispose]();
  const before = await held();
  const context = await prefill(model, prompt, { observe: [method] });
  const fullBytes = context.cache.bytes;
  const full = (await held()) - before;
  assert.ok(full >= fullBytes, `${full} bytes hold a cache of ${fullBytes}`);
  const cache = await compress(context, method);
  context[Symbol.dispose]();
  const small = (await held()) - before;
  // Beside keys and values: positions, logits and offsets, a few hundred bytes each.
  assert.ok(
    small < cache.bytes + 16_384 && small < fullBytes / 10,
    `${small} bytes hold a cache of ${cache.bytes}, evicted from ${fullBytes}`,
  );
  assert.equal(cache.bytes * 500, fullBytes * 16);
});

test("what a batch copied of its caches goes with them", async () => {
  using model = await tinyModel({ layers: 3, headDim: 32 });
  const together = async (): Promise<number> => {
    const contexts = [await prefill(model, promptOf(500)), await prefill(model, promptOf(400))];
    await model.engine.step(contexts.map(({ cache }, token) => ({ token, cache })));
    const bytes = contexts.reduce((sum, { cache }) => sum + cache.bytes, 0);
    for (const context of contexts) context[Symbol.dispose]();
    return bytes;
  };
  await together();
  const before = await held();
  let bytes = 0;
  for (let i = 0; i < 5; i++) bytes = await together();
  const grown = (await held()) - before;
  assert.ok(grown < bytes, `${grown} bytes are left of batches of ${bytes}`);
});

test("what decoding evicts is given back, although the cache was decoded on before, alone and in a batch", async () => {
  using model = await tinyModel({ layers: 3, headDim: 32 });
  const evict = streamingWindow({ budget: 16 });
  const evicted = async () => {
    const contexts = [await prefill(model, promptOf(500)), await prefill(model, promptOf(400))];
    const caches = contexts.map(({ cache }) => cache.fork());
    const bytes = caches.reduce((sum, cache) => sum + cache.bytes, 0);
    for (const context of contexts) context[Symbol.dispose]();
    for (const cache of caches) await step(model, cache, 1);
    await model.engine.step(caches.map((cache, token) => ({ token, cache })));
    for (const cache of caches) await step(model, cache, 1, { evict });
    return { caches, bytes };
  };
  const discard = async () => {
    for (const cache of (await evicted()).caches) cache[Symbol.dispose]();
  };
  await discard();
  await discard();
  const before = await held();
  const { caches, bytes } = await evicted();
  const small = caches.reduce((sum, cache) => sum + cache.bytes, 0);
  const left = (await held()) - before;
  assert.ok(left < 2 * small + 32_768, `${left} bytes hold caches of ${small}, evicted from ${bytes}`);
});
