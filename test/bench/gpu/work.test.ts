/** Sizes of work, counted again from the network's tensors and token by token; and lengths that are ragged but add up. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { raggedLengths, shuffled } from "../../../bench/gpu/lengths.ts";
import { randomWeights } from "../../../bench/gpu/random-weights.ts";
import { resized, scales } from "../../../bench/gpu/scale.ts";
import * as work from "../../../bench/gpu/work.ts";
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import { holds } from "../../support/seed.ts";

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
const lists = fc.array(fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });

test("a token meets every matrix once, but the table of embeddings", () => {
  for (const { config } of Object.values(scales)) {
    const matrices = randomWeights(config, 1).tensors.filter(
      ({ name, shape }) => shape.length === 2 && !/embed/.test(name),
    );
    const numbers = sum(matrices.map(({ shape: [rows = 0, columns = 0] }) => rows * columns));
    const products = work.tokenProducts(config);
    expect(sum(products.map((each) => each.count * each.outputs * each.inputs))).toBe(numbers);
    expect(sum(products.map((each) => each.count * work.productFlops(each, 3)))).toBe(6 * numbers);
    // 18 bytes for 32 numbers.
    expect(work.stepBytes(config, "Q4_0", 0)).toBe((numbers / 32) * 18);
    expect(work.stepBytes(config, "F16", 10)).toBe(2 * numbers + 10 * 2 * 4 * config.headDim);
  }
});

test("Llama-3-8B's matrices are 8.03e9 numbers with its embeddings, and its cache of 2048 entries in fp32 is half a GiB", () => {
  const { config } = scales.full;
  const { tensors } = randomWeights(config, 1);
  expect(sum(tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1)))).toBe(8_030_261_248);
  expect(work.lawBytes(config, 2048)).toBe(2 ** 29);
});

test("a chunk's attention sees every earlier token and itself", () =>
  holds(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(40)), ([rows, before]) => {
    const { config } = scales.tiny;
    let pairs = 0;
    for (let i = 0; i < rows; i++) pairs += before + i + 1;
    expect(work.attentionFlops(config, rows, before + rows)).toBe(4 * config.queryHeads * config.headDim * pairs);
  }));

test("whole pages hold all entries, and less than a page too many for each KV head", () =>
  holds(fc.tuple(lists, fc.constantFrom(8, 128)), ([lengths, headDim]) => {
    const [entries, pages] = [work.entryBytes(sum(lengths.flat()), headDim), work.pagedBytes(lengths, headDim)];
    expect(pages).toBeGreaterThanOrEqual(entries);
    expect(pages - entries).toBeLessThanOrEqual(work.entryBytes(lengths.flat().length * (PAGE - 1), headDim));
    expect(pages % work.entryBytes(PAGE, headDim)).toBe(0);
  }));

const ragged = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  mean: fc.integer({ min: 2, max: 3000 }),
  seed: fc.integer(),
});

test("ragged lengths have the mean that was asked for exactly, lie about it, and are the seed's", () =>
  holds(ragged, ({ count, mean, seed }) => {
    const lengths = raggedLengths(count, mean, seed);
    expect([lengths.length, sum(lengths.slice())]).toEqual([count, count * mean]);
    for (const length of lengths) expect(Math.abs(length - mean)).toBeLessThanOrEqual(mean / 2);
    expect(raggedLengths(count, mean, seed)).toEqual(lengths);
  }));

test("ragged lengths are ragged, and are not in pairs any more", () => {
  const lengths = raggedLengths(128, 2048, 7);
  expect(Math.max(...lengths) - Math.min(...lengths)).toBeGreaterThan(1024);
  const pairs = lengths.filter((length, i) => i % 2 === 0 && length + (lengths[i + 1] ?? 0) === 2 * 2048);
  expect(pairs.length).toBeLessThan(16);
  expect(raggedLengths(128, 2048, 8)).not.toEqual(lengths);
});

test("what is shuffled is all there still", () =>
  holds(fc.tuple(fc.array(fc.nat(9)), fc.integer()), ([values, seed]) => {
    const inOrder = (list: readonly number[]) => [...list].sort((a, b) => a - b);
    expect(inOrder(shuffled(values, seed))).toEqual(inOrder(values));
  }));

test("a scale of other sizes says so, and is else the same", () => {
  const { full } = scales;
  expect(resized(full, undefined, undefined)).toBe(full);
  const less = resized(full, 4, 512);
  expect([less.name, less.prompt, less.config.layers, less.config.slidingWindow.length]).toEqual([
    "full, resized",
    512,
    4,
    4,
  ]);
  expect(resized(full, 4, undefined).prompt).toBe(full.prompt);
});
