/** Attention to compact entries on the GPU: that to pages of what they stand for. */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compactEntries } from "../../kernels/compact-attention/reference.ts";
import { compactAttention, compactScores } from "../../kernels/compact-attention/webgpu.ts";
import { gpuArrays } from "../../kernels/gpu/arrays.ts";
import { PAGE } from "../../kernels/paged-attention/index.ts";
import { pagedAttention as pagedReference } from "../../kernels/paged-attention/reference.ts";
import { pagedAttention } from "../../kernels/paged-attention/webgpu.ts";
import { pagedScores } from "../../kernels/paged-scores/webgpu.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { normals } from "../support/arbitraries.ts";
import { blocksOf, compactForms, eachArray, inMemory } from "../support/compact-blocks.ts";
import { maxDifference } from "../support/golden.ts";
import { uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
afterAll(() => gpu[Symbol.dispose]());

const TOLERANCE = 5e-5;

const trials = fc.record({
  ...compactForms,
  inPages: fc.constantFrom(1, PAGE, PAGE + 1, 150, 300),
  attends: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  slidingWindow: fc.option(fc.integer({ min: 1, max: 60 }), { nil: null }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

/** Entries of one KV head. */
interface Head {
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly positions: ArrayLike<number>;
}

const NO_ENTRIES: Head = { keys: tensor(new Float32Array(0)), values: tensor(new Float32Array(0)), positions: [] };

/** Lists of entries in pages, one after the other. */
class Pages {
  readonly keys: number[] = [];
  readonly values: number[] = [];
  readonly positions: number[] = [];
  readonly lists: number[] = [];

  add({ keys, values, positions }: Head, headDim: number): void {
    this.lists.push(this.count, positions.length);
    const missing = (PAGE - (positions.length % PAGE)) % PAGE;
    const blank = Array<number>(missing * headDim).fill(9);
    this.keys.push(...keys.data, ...blank);
    this.values.push(...values.data, ...blank);
    this.positions.push(...Array.from(positions), ...Array<number>(missing).fill(0));
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
  const compact = blocksOf(trial);
  const stored = inMemory(compact, kvHeads);
  const older = Array.from({ length: kvHeads }, (_, head) => compactEntries(stored, layer, head, headDim));
  const next = uniform(seed + 5);
  const rowPositions = attends.map(() => 100 + Math.floor(next() * 20));
  const fresh = rowPositions.map((position, row) =>
    older.map((_, head): Head => {
      const count = 1 + Math.floor(inPages * next());
      const [keys, values] = [1, 2].map((i) => normals(seed + 31 * row + 5 * head + i, count, headDim));
      const positions = Array.from({ length: count }, () => 60 + Math.floor(60 * next()));
      positions[count - 1] = position; // a token always sees itself
      return { keys: keys ?? NO_ENTRIES.keys, values: values ?? NO_ENTRIES.values, positions };
    }),
  );
  const [own, all] = [new Pages(), new Pages()];
  for (const [row, heads] of fresh.entries())
    for (const [head, entries] of heads.entries()) {
      for (const each of [entries, NO_ENTRIES]) own.add(each, headDim);
      const before = attends[row] === true ? older[head] : undefined;
      for (const each of [before ?? NO_ENTRIES, entries]) all.add(each, headDim);
    }
  const heads = kvHeads * group;
  const queries = normals(seed + 3, heads, attends.length, headDim);
  return { heads, compact, older, fresh, own, all, queries, rowPositions, slidingWindow };
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
          const parts = [
            { first: 0, ...(x.older[kvHead] ?? NO_ENTRIES) },
            { first: older.longest, ...(x.fresh[0]?.[kvHead] ?? NO_ENTRIES) },
          ];
          for (const { first, keys, positions } of parts)
            for (const [i, position] of Array.from(positions).entries()) {
              const found = data[head * (dims[1] ?? 0) + first + i] ?? Number.NaN;
              const isSeen = x.slidingWindow === null || position + x.slidingWindow > (x.rowPositions[0] ?? 0);
              const products = Array.from(
                { length: headDim },
                (_, c) => (x.queries.data[head * headDim + c] ?? 0) * (keys.data[i * headDim + c] ?? 0),
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
