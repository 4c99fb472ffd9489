/** Attention on the GPU, of prompts and over pages, against plain loops. */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { flashAttention as flashReference } from "../../kernels/flash-attention/reference.ts";
import { flashAttention } from "../../kernels/flash-attention/webgpu.ts";
import { gpuArrays } from "../../kernels/gpu/arrays.ts";
import { moveRows } from "../../kernels/move-rows/webgpu.ts";
import { PAGE } from "../../kernels/paged-attention/index.ts";
import { pagedAttention as pagedReference } from "../../kernels/paged-attention/reference.ts";
import { pagedAttention } from "../../kernels/paged-attention/webgpu.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { normals } from "../support/arbitraries.ts";
import { maxDifference } from "../support/golden.ts";
import { uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
afterAll(() => gpu[Symbol.dispose]());

const TOLERANCE = 2e-5;
/** Programs are compiled for each of these; one is no multiple of 16, and one is longer than a workgroup's lanes. */
const headDims = fc.constantFrom(8, 20, 64, 132);
const upTo = (most: number, least = 1) => fc.integer({ min: least, max: most });
const floats = (values: readonly number[], ...dims: readonly number[]): Tensor =>
  tensor(Float32Array.from(values), ...dims);
const whole = (values: readonly number[]) => arrays.numbers(Uint32Array.from(values), "whole numbers");

const prompts = fc.record({
  seed: upTo(1e6),
  kvHeads: upTo(2),
  group: upTo(3),
  headDim: headDims,
  length: upTo(100),
  share: upTo(100),
  room: upTo(20, 0),
  slidingWindow: fc.option(upTo(110), { nil: null }),
});

describe("attention on the GPU", () => {
  test("of a prompt's tokens is that of plain loops, whatever room follows the entries", () =>
    holds(prompts, async ({ seed, kvHeads, group, headDim, length, share, room, slidingWindow }) => {
      const count = Math.min(share, length);
      const heads = kvHeads * group;
      const queries = normals(seed, heads, count, headDim);
      const [keys, values] = [1, 2].map((i) => normals(seed + i, kvHeads, length + room, headDim));
      if (keys === undefined || values === undefined) throw new Error("no entries");
      using q = arrays.of(queries, "queries");
      using k = arrays.of(keys, "keys");
      using v = arrays.of(values, "values");
      const out = arrays.empty("result", count, heads * headDim);
      flashAttention(arrays, headDim)({ queries: q, keys: k, values: v, length, slidingWindow }, out);
      const expected = flashReference({ queries, keys, values, length, slidingWindow });
      const found = await arrays.result(out);
      assert.deepEqual(found.dims, expected.dims);
      assert.ok(maxDifference(found.data, expected.data) < TOLERANCE);
    }));

  test("over pages is that of plain loops, however unequal the lists and wherever their pages lie", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        rows: upTo(3),
        kvHeads: upTo(2),
        group: upTo(3),
        headDim: headDims,
        longest: fc.constantFrom(1, PAGE - 1, PAGE, PAGE + 1, 127, 128, 129, 256, 300, 530),
        slidingWindow: fc.option(upTo(40), { nil: null }),
      }),
      async ({ seed, rows, kvHeads, group, headDim, longest, slidingWindow }) => {
        const next = uniform(seed);
        const below = (end: number) => Math.floor(next() * end);
        const heads = kvHeads * group;
        const parts = Array.from({ length: rows * kvHeads }, (_, i) => {
          const all = i === 0 ? longest : 1 + below(longest);
          const kept = below(all + 1);
          return [kept, all - kept];
        });
        const pagesOf = (count: number) => Math.ceil(count / PAGE);
        const pages = parts.flat().reduce((sum, count) => sum + pagesOf(count), 0);
        const order = Array.from({ length: pages }, (_, page) => ({ page, at: next() })).sort((a, b) => a.at - b.at);
        const lists: number[] = [];
        let first = 0;
        for (const count of parts.flat()) {
          lists.push(first, count);
          first += pagesOf(count);
        }
        const numbers = {
          table: order.map(({ page }) => page),
          lists,
          positions: Array.from({ length: pages * PAGE }, () => below(100)),
          rowPositions: Array.from({ length: rows }, () => 60 + below(40)),
        };
        if (slidingWindow !== null) {
          // A token always sees itself: the last entry of a row's list.
          for (const [list, [kept = 0, added = 0]] of parts.entries()) {
            const [from = 0, count] = added > 0 ? [lists[4 * list + 2], added] : [lists[4 * list], kept];
            const page = numbers.table[from + Math.floor((count - 1) / PAGE)] ?? 0;
            numbers.positions[page * PAGE + ((count - 1) % PAGE)] =
              numbers.rowPositions[Math.floor(list / kvHeads)] ?? 0;
          }
        }
        const queries = normals(seed, heads, rows, headDim);
        const keys = normals(seed + 1, pages, PAGE, headDim);
        const values = normals(seed + 2, pages, PAGE, headDim);
        const expected = pagedReference({
          queries,
          keys,
          values,
          table: floats(numbers.table, pages),
          lists: floats(lists, rows, kvHeads, 4),
          firstList: 0,
          positions: floats(numbers.positions, pages, PAGE),
          rowPositions: floats(numbers.rowPositions, rows),
          slidingWindow,
        });
        using q = arrays.of(queries, "queries");
        using k = arrays.of(keys, "keys");
        using v = arrays.of(values, "values");
        using table = whole(numbers.table);
        using bound = whole([...lists.map(() => 0), ...lists]);
        using positions = whole(numbers.positions);
        using rowPositions = whole(numbers.rowPositions);
        using attend = pagedAttention(arrays, { queryHeads: heads, kvHeads, headDim });
        const out = arrays.empty("result", rows, heads * headDim);
        const entries = { keys: k, values: v, table, lists: bound, positions, rowPositions };
        attend({ queries: q, ...entries, firstList: rows * kvHeads, slidingWindow }, longest, out);
        const found = await arrays.result(out);
        assert.deepEqual(found.dims, expected.dims);
        assert.ok(maxDifference(found.data, expected.data) < TOLERANCE);
      },
      30,
    ));

  test("entries that are moved are the same in their slots, and nothing else changes", () =>
    holds(fc.record({ seed: upTo(1e6), headDim: headDims, count: upTo(70, 0) }), async ({ seed, headDim, count }) => {
      const next = uniform(seed);
      const shuffled = (length: number) =>
        Array.from({ length }, (_, i) => ({ i, at: next() }))
          .sort((a, b) => a.at - b.at)
          .map(({ i }) => i);
      const [size, slots] = [count + 5, count + 9];
      const [keys, values] = [normals(seed, size, headDim), normals(seed + 1, size, headDim)];
      const positions = Uint32Array.from({ length: size }, (_, i) => 7 * i);
      const skipped = Math.min(count, 3);
      const [rows, to] = [shuffled(size).slice(0, count), shuffled(slots).slice(0, count)];
      using source = entries(keys, values, positions);
      using pool = entries(
        normals(seed + 2, slots, headDim),
        normals(seed + 3, slots, headDim),
        new Uint32Array(slots),
      );
      const before = await read(pool);
      using from = whole(rows);
      using into = whole(to);
      moveRows(arrays, headDim)(source, { rows: from, to: into, first: skipped, count: count - skipped }, pool);
      for (const [i, slot] of to.entries()) {
        if (i < skipped) continue;
        const row = rows[i] ?? 0;
        before.keys.set(keys.data.subarray(row * headDim, (row + 1) * headDim), slot * headDim);
        before.values.set(values.data.subarray(row * headDim, (row + 1) * headDim), slot * headDim);
        before.positions[slot] = positions[row] ?? 0;
      }
      assert.deepEqual(await read(pool), before);
    }));
});

function entries(keys: Tensor, values: Tensor, positions: Uint32Array<ArrayBuffer>) {
  const held = {
    keys: arrays.of(keys, "keys"),
    values: arrays.of(values, "values"),
    positions: arrays.numbers(positions, "positions"),
  };
  return {
    ...held,
    [Symbol.dispose]() {
      for (const array of Object.values(held)) array[Symbol.dispose]();
    },
  };
}

async function read({ keys, values, positions }: ReturnType<typeof entries>) {
  return {
    keys: new Float32Array(await gpu.read(keys.block)),
    values: new Float32Array(await gpu.read(values.block)),
    positions: new Uint32Array(await gpu.read(positions.block)),
  };
}
