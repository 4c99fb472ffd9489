/** Prompts of 32,000 tokens on a small model made for them: whole, chunk by chunk, and block by block in constant memory. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { compress, compressInBlocks, h2o, prefill, step } from "../../src/index.ts";
import { promptOf } from "../generate/helpers.ts";
import { maxDifference } from "../support/golden.ts";
import { TOLERANCE } from "../support/network-laws.ts";
import { recorded } from "../support/recorded-engine.ts";
import { type TinyModel, tinyModel } from "../support/tiny-model.ts";

const N = 32_000;
const HEAD_DIM = 16;
const FLOAT = 4;
const A = promptOf(N, 3);

let model: TinyModel;
beforeAll(async () => {
  model = await tinyModel({ layers: 1, queryHeads: 1, kvHeads: 1, headDim: HEAD_DIM, contextLength: 40_000 });
});
afterAll(() => model[Symbol.dispose]());

test("a prompt of 32,000 tokens gives the same whatever the chunk, in the bytes of its entries", async () => {
  using context = await prefill(model, A);
  expect(context.cache.bytes).toBe(N * HEAD_DIM * 2 * FLOAT);
  using other = await prefill(model, A, { chunk: 1999 });
  expect(maxDifference(other.logits, context.logits)).toBeLessThan(TOLERANCE);
  expect(await step(model, other.cache, 5)).toHaveLength(model.config.vocabSize);
});

test("its column sums are those of all queries, and no n x n matrix of them is ever in memory", async () => {
  const method = h2o({ budget: 100 });
  let most = 0;
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const onProgress = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  using context = await prefill(model, A, { observe: [method], chunk: 2048, onProgress });
  const [sums] = context.observation.columnSums ?? [];
  const total = sums?.data.reduce((sum, mass) => sum + mass, 0) ?? 0;
  expect(Math.abs(total / N - 1)).toBeLessThan(1e-3); // every query gives 1
  expect(most - before).toBeLessThan((N * N * FLOAT) / 4);
  using cache = await compress(context, method);
  expect(cache.bytes).toBe(100 * HEAD_DIM * 2 * FLOAT);
});

test("as a stream it is compressed with no more than the working budget and a block held, and decodes at its length", async () => {
  const recording = recorded(model);
  function* pieces() {
    for (let at = 0; at < N; at += 777) yield A.slice(at, at + 777);
  }
  const method = h2o({ budget: 100 });
  using cache = await compressInBlocks(recording.model, pieces(), method, { block: 500, working: 300 });
  const held = recording.calls.map(({ result }) => result.layers[0]?.positions.length);
  expect(held).toEqual([500, ...new Array(63).fill(800)]);
  expect(cache.length).toBe(N);
  expect(cache.bytes).toBe(100 * HEAD_DIM * 2 * FLOAT);
  expect(await step(model, cache, 5)).toHaveLength(model.config.vocabSize);
});
