/** Attention to compact entries on the GPU: that to pages of what they stand for. */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { CompactBlocks } from "../../kernels/compact-attention/index.ts";
import { compactEntries } from "../../kernels/compact-attention/reference.ts";
import { compactAttention, compactScores } from "../../kernels/compact-attention/webgpu.ts";
import { gpuArrays } from "../../kernels/gpu/arrays.ts";
import { PAGE } from "../../kernels/paged-attention/index.ts";
import { pagedAttention as pagedReference } from "../../kernels/paged-attention/reference.ts";
import { pagedAttention } from "../../kernels/paged-attention/webgpu.ts";
import { pagedScores } from "../../kernels/paged-scores/webgpu.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import type { CompactEntries } from "../../src/cache/compact/entries.ts";
import { layoutsOf } from "../../src/cache/compact/form.ts";
import { BlockWriter } from "../../src/cache/compact/writer.ts";
import { offsetsOf } from "../../src/cache/layer.ts";
import { compactBlocks } from "../../src/engine/webgpu/compact-blocks.ts";
import { normals, uniforms } from "../support/arbitraries.ts";
import { maxDifference } from "../support/golden.ts";
import { uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
afterAll(() => gpu[Symbol.dispose]());

const TOLERANCE = 5e-5;
const LAYERS = 2;
const upTo = (most: number, least = 1) => fc.integer({ min: least, max: most });

/** Entries in tiles of 128 and stretches of 256, in blocks of 32; heads of 64 and 160 have several scales in a value. */
const trials = fc.record({
  seed: upTo(1e6),
  shape: fc.constantFrom(
    { kvHeads: 2, group: 1, headDim: 8 },
    { kvHeads: 1, group: 3, headDim: 20 },
    { kvHeads: 2, group: 2, headDim: 64 },
    { kvHeads: 1, group: 2, headDim: 160 },
  ),
  bits: fc.constantFrom(8 as const, 4 as const, 2 as const, null),
  /** Of the channels. */
  keep: fc.constantFrom(null, 0.01, 0.4, 0.9),
  /** In place of pruned channels and codes: both layers share directions. */
  isShared: fc.boolean(),
  longest: fc.constantFrom(0, 1, 31, 32, 33, 96, 128, 160, 256, 257, 288, 520),
  inPages: fc.constantFrom(1, PAGE, PAGE + 1, 150, 300),
  layer: fc.constantFrom(0, 1),
  attends: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  slidingWindow: fc.option(upTo(60), { nil: null }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

function entriesOf(trial: Trial): CompactEntries {
  const { seed, shape, keep, isShared, longest } = trial;
  const next = uniform(seed);
  const { kvHeads, headDim } = shape;
  const geometry = { layers: LAYERS, kvHeads, headDim };
  const width = keep === null ? headDim : Math.max(1, Math.round(keep * headDim));
  const order = () =>
    Array.from({ length: headDim }, (_, c) => ({ c, at: next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ c }) => c);
  const channels =
    keep === null || isShared
      ? null
      : Int32Array.from(
          Array.from({ length: LAYERS * kvHeads }, () =>
            order()
              .slice(0, width)
              .sort((a, b) => a - b),
          ).flat(),
        );
  const form = { bits: isShared ? null : trial.bits, recent: 1, channels };
  const layouts = layoutsOf(form, geometry);
  const { tokens } = layouts.keys;
  const blocksIn = (head: number) => Math.floor((head === 0 ? longest : longest * next()) / tokens);
  const ofOne = () => Array.from({ length: kvHeads }, (_, head) => blocksIn(head));
  const first = ofOne();
  const counts = [first, isShared ? first : ofOne()];
  const blocks = counts.map((own) => own.reduce((sum, count) => sum + count, 0));
  const total = isShared ? (blocks[0] ?? 0) : blocks.reduce((sum, count) => sum + count, 0);
  const nothing = { codes: new Uint8Array(0), floats: new Float32Array(0) };
  const [keys, values] = [
    new BlockWriter(layouts.keys, total, nothing),
    new BlockWriter(layouts.values, total, nothing),
  ];
  for (let i = 0; i < total; i++) {
    keys.add(normals(seed + 2 * i, tokens, layouts.keys.width).data);
    values.add(normals(seed + 2 * i + 1, tokens, headDim).data);
  }
  const held = blocks.reduce((sum, count) => sum + count, 0) * tokens;
  return {
    form,
    keys: keys.blocks,
    values: values.blocks,
    layers: counts.map((own) => ({
      positions: Int32Array.from({ length: own.reduce((sum, n) => sum + n, 0) * tokens }, () =>
        Math.floor(100 * next()),
      ),
      offsets: offsetsOf(own.map((count) => count * tokens)),
    })),
    begins: [0, isShared ? 0 : (blocks[0] ?? 0)],
    norms: isShared ? { keys: uniforms(seed + 7, held).data, values: uniforms(seed + 8, held).data } : null,
  };
}

type Numbers = ReturnType<typeof compactBlocks>;

function eachArray<T>(
  blocks: Numbers,
  of: (data: Numbers["codes"], name: "codes" | "floats" | "places" | "heads") => T,
): CompactBlocks<T> {
  return {
    ...blocks,
    codes: of(blocks.codes, "codes"),
    floats: of(blocks.floats, "floats"),
    places: of(blocks.places, "places"),
    heads: of(blocks.heads, "heads"),
  };
}

/** As the reference takes them. */
const inMemory = (blocks: Numbers, kvHeads: number): CompactBlocks<Tensor> =>
  eachArray(blocks, (data, name) => {
    const numbers = Float32Array.from(name === "codes" ? new Uint8Array(data.buffer) : data);
    return name === "heads" ? tensor(numbers, LAYERS, kvHeads, 4) : tensor(numbers, numbers.length);
  });

/** Pages of entries of one KV head after another, and where each list begins. */
class Pages {
  readonly keys: number[] = [];
  readonly values: number[] = [];
  readonly positions: number[] = [];
  readonly lists: number[] = [];
  readonly #headDim: number;

  constructor(headDim: number) {
    this.#headDim = headDim;
  }

  add(keys: ArrayLike<number>, values: ArrayLike<number>, positions: ArrayLike<number>): void {
    this.lists.push(this.positions.length / PAGE, positions.length);
    const missing = (PAGE - (positions.length % PAGE)) % PAGE;
    const blank = Array.from({ length: missing * this.#headDim }, () => 9);
    for (const [into, from] of [
      [this.keys, keys],
      [this.values, values],
    ] as const)
      into.push(...Array.from(from), ...blank);
    this.positions.push(...Array.from(positions), ...Array.from({ length: missing }, () => 0));
  }

  get count(): number {
    return this.positions.length / PAGE;
  }
}

const floats = (values: readonly number[], ...dims: readonly number[]): Tensor =>
  tensor(Float32Array.from(values), ...dims);
const whole = (values: readonly number[]) => arrays.numbers(Uint32Array.from(values), "whole numbers");

/** Rows that attend to their own pages and some of them to compact entries; and pages of all that each of them attends to. */
function caseOf(trial: Trial) {
  const { seed, shape, layer, attends, slidingWindow, inPages } = trial;
  const { kvHeads, group, headDim } = shape;
  const [heads, rows] = [kvHeads * group, attends.length];
  const compact = compactBlocks(entriesOf(trial), { layers: LAYERS, kvHeads, headDim });
  const stored = inMemory(compact, kvHeads);
  const older = Array.from({ length: kvHeads }, (_, head) => compactEntries(stored, layer, head, headDim));
  const next = uniform(seed + 5);
  const rowPositions = attends.map(() => 100 + Math.floor(next() * 20));
  const [own, all] = [new Pages(headDim), new Pages(headDim)];
  for (const [row, attending] of attends.entries())
    for (const [head, { keys, values, positions }] of older.entries()) {
      const count = 1 + Math.floor(inPages * next());
      const [k, v] = [1, 2].map((i) => normals(seed + 31 * row + 5 * head + i, count, headDim).data);
      if (k === undefined || v === undefined) throw new Error("no entries");
      const places = Array.from({ length: count }, () => 60 + Math.floor(60 * next()));
      places[count - 1] = rowPositions[row] ?? 0; // a token always sees itself
      own.add(k, v, places);
      own.add([], [], []);
      if (attending) all.add(keys.data, values.data, positions);
      else all.add([], [], []);
      all.add(k, v, places);
    }
  const queries = normals(seed + 3, heads, rows, headDim);
  return { heads, compact, older, own, all, queries, rowPositions, slidingWindow };
}

/** What both kernels are given. */
function onDevice({ layer, attends, shape }: Trial, x: ReturnType<typeof caseOf>) {
  const rows = attends.flatMap((attending, row) => (attending ? [row, x.rowPositions[row] ?? 0] : []));
  const common = { queries: arrays.of(x.queries, "queries"), slidingWindow: x.slidingWindow };
  return {
    older: {
      ...common,
      blocks: eachArray(x.compact, (data, name) => arrays.numbers(data, name)),
      layer,
      rows: { ...whole(rows), dims: [rows.length / 2, 2] },
      longest: Math.max(...x.older.map(({ positions }) => positions.length)),
    },
    pages: {
      ...common,
      keys: arrays.of(floats(x.own.keys, x.own.count, PAGE, shape.headDim), "keys"),
      values: arrays.of(floats(x.own.values, x.own.count, PAGE, shape.headDim), "values"),
      table: whole([...Array(x.own.count).keys()]),
      lists: whole(x.own.lists),
      firstList: 0,
      positions: whole(x.own.positions),
      rowPositions: whole(x.rowPositions),
    },
    longest: Math.max(...x.own.lists.filter((_, i) => i % 2 === 1)),
  };
}

describe("compact entries on the GPU", () => {
  test("are attended to beside pages as pages of what they stand for are, in every form", () =>
    holds(
      trials,
      async (trial) => {
        const { kvHeads, headDim } = trial.shape;
        const x = caseOf(trial);
        const expected = pagedReference({
          queries: x.queries,
          keys: floats(x.all.keys, x.all.count, PAGE, headDim),
          values: floats(x.all.values, x.all.count, PAGE, headDim),
          table: floats([...Array(x.all.count).keys()], x.all.count),
          lists: floats(x.all.lists, trial.attends.length, kvHeads, 4),
          firstList: 0,
          positions: floats(x.all.positions, x.all.count, PAGE),
          rowPositions: floats(x.rowPositions, x.rowPositions.length),
          slidingWindow: x.slidingWindow,
        });
        const { older, pages, longest } = onDevice(trial, x);
        const sizes = { queryHeads: x.heads, kvHeads, headDim };
        using attend = pagedAttention(arrays, sizes);
        const out = arrays.empty("result", ...expected.dims);
        attend(pages, longest, out, [compactAttention(arrays, sizes)(older)]);
        const { data } = await arrays.result(out);
        assert.ok(maxDifference(data, expected.data) < TOLERANCE);
      },
      80,
    ));

  test("are scored as what they stand for, before those in pages", () =>
    holds(
      trials,
      async (trial) => {
        const { kvHeads, group, headDim } = trial.shape;
        const one = { ...trial, attends: [true] };
        const x = caseOf(one);
        const { older, pages, longest } = onDevice(one, x);
        const out = arrays.empty("scores", x.heads, older.longest + longest);
        compactScores(arrays, kvHeads, headDim)(older, out);
        pagedScores(arrays, kvHeads, headDim)(pages, longest, out, older.longest);
        const { data, dims } = await arrays.result(out);
        for (let head = 0; head < x.heads; head++) {
          const kvHead = Math.floor(head / group);
          const [from = 0, count = 0] = x.own.lists.slice(4 * kvHead);
          const rows = (of: readonly number[], width: number) =>
            of.slice(from * PAGE * width, (from * PAGE + count) * width);
          const inPages = {
            keys: tensor(Float32Array.from(rows(x.own.keys, headDim))),
            positions: rows(x.own.positions, 1),
          };
          const parts = [
            { first: 0, ...x.older[kvHead] },
            { first: older.longest, ...inPages },
          ];
          for (const { first, keys, positions } of parts)
            for (const [i, position] of (positions ?? []).entries()) {
              const found = data[head * (dims[1] ?? 0) + first + i] ?? Number.NaN;
              const isSeen = x.slidingWindow === null || position + x.slidingWindow > (x.rowPositions[0] ?? 0);
              const products = Array.from(
                { length: headDim },
                (_, c) => (x.queries.data[head * headDim + c] ?? 0) * (keys?.data[i * headDim + c] ?? 0),
              );
              const expected = isSeen
                ? products.reduce((sum, product) => sum + product, 0) / Math.sqrt(headDim)
                : -1e30;
              assert.ok(isSeen ? Math.abs(found - expected) < TOLERANCE : found < -1e29);
            }
        }
      },
      30,
    ));
});
