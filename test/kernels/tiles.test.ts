/** GPU kernels at sizes around the edges of their tiles, and beyond what one dimension of a device's grid takes. */
import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { grid, MOST_GROUPS } from "../../kernels/gpu/arrays.ts";
import { referenceKernels, type Tensor } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import type { Gpu, Program } from "../../src/gpu/index.ts";
import { normals } from "../support/arbitraries.ts";
import { maxDifference } from "../support/golden.ts";
import { uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const kernels = webgpuKernels(gpu);
const reference = referenceKernels();

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const edges = fc.constantFrom(1, 15, 16, 17, 63, 64, 65, 127, 129);
const inputs = fc.record({ seed: seeds, length: edges, size: edges, others: edges, group: fc.constantFrom(1, 3) });
const RUNS = 12;

function expectClose(found: Tensor, expected: Tensor, tolerance: number): void {
  expect(found.dims).toEqual(expected.dims);
  expect(maxDifference(found.data, expected.data)).toBeLessThanOrEqual(tolerance);
}

describe("at the edges of tiles the GPU agrees with the reference", () => {
  test("on each key", () =>
    holds(
      inputs,
      async ({ seed, length, size, group }) => {
        const keys = normals(seed, 2, length, size);
        const directions = normals(seed, 2 * group, size);
        expectClose(await kernels.keyNorms(keys), await reference.keyNorms(keys), 1e-5);
        expectClose(await kernels.valueNorms(keys), await reference.valueNorms(keys), 1e-4);
        expectClose(await kernels.keySimilarity(keys), await reference.keySimilarity(keys), 1e-5);
        const expected = await reference.projections(keys, directions);
        expectClose(await kernels.projections(keys, directions), expected, 1e-4);
      },
      RUNS,
    ));

  test("on keys under matrices, and on projected values", () =>
    holds(
      inputs,
      async ({ seed, length, size, others, group }) => {
        const keys = normals(seed, 1, length, size);
        const matrices = normals(seed + 1, group, size, size);
        const forms = await reference.quadraticForms(keys, matrices);
        expectClose(await kernels.quadraticForms(keys, matrices), forms, 1e-3);
        const projection = normals(seed + 2, others, group * size);
        const norms = await reference.projectedNorms(keys, projection);
        expectClose(await kernels.projectedNorms(keys, projection), norms, 1e-2);
      },
      RUNS,
    ));

  test("on the nearest of keys, of which each head lists others", () =>
    holds(
      inputs,
      async ({ seed, length, size, others }) => {
        const keys = normals(seed, 2, length, size);
        const rows = [others, 1].map((count) => Int32Array.from({ length: Math.min(count, length) }, (_, i) => i));
        const [found, expected] = [await kernels.nearestKeys(keys, rows), await reference.nearestKeys(keys, rows)];
        expectClose(found.cosines, expected.cosines, 1e-5);
        if (size > 2) expect(found.places).toEqual(expected.places);
      },
      RUNS,
    ));

  test("on moments", () =>
    holds(
      inputs,
      async ({ seed, length, size, group }) => {
        const vectors = normals(seed, length, group, size);
        const [found, expected] = [await kernels.moments(vectors), await reference.moments(vectors)];
        expectClose(found.sums, expected.sums, 1e-4);
        expectClose(found.products, expected.products, 1e-3);
      },
      RUNS,
    ));
});

/** Scores of every kind that compare otherwise than their bits do. */
const KINDS = [Number.NEGATIVE_INFINITY, -1, -1e-40, -0, 0, 1e-40, 1, Number.POSITIVE_INFINITY];

const mixed = (seed: number, rows: number, columns: number, kinds: number): Tensor => {
  const next = uniform(seed);
  const score = () =>
    next() < 0.5 ? KINDS[Math.floor(next() * KINDS.length)] : Math.floor(next() * kinds) - kinds / 2;
  return { data: Float32Array.from({ length: rows * columns }, () => score() ?? 0), dims: [rows, columns] };
};

describe("top-k on the GPU", () => {
  const columns = fc.constantFrom(1, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 8193);
  const kinds = fc.constantFrom(1, 300, 2 ** 30);

  test("equals the reference at the edges of tiles and of counts, infinite scores and both zeros among others", () =>
    holds(
      fc.record({ seed: seeds, columns, kinds, share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      async ({ seed, columns, kinds, share }) => {
        const counts = [0, 1, Math.floor(share * columns), columns - 1, columns];
        const scores = mixed(seed, counts.length, columns, kinds);
        expect(await kernels.topK(scores, counts)).toEqual([...(await reference.topK(scores, counts))]);
      },
      20,
    ));

  test("equals the reference on a row of 131072", async () => {
    const scores = mixed(1, 1, 2 ** 17, 2 ** 30);
    for (const count of [128, 2 ** 16, 2 ** 17 - 1])
      expect(await kernels.topK(scores, [count])).toEqual([...(await reference.topK(scores, [count]))]);
  });
});

/** The device as if three workgroups were all that a dimension takes, for programs that fold what is longer. */
function narrow(): Gpu {
  const folding = new Set<Program>();
  return {
    ...gpu,
    program(source) {
      const { constants = {} } = source;
      if (!("MOST_GROUPS" in constants)) return gpu.program(source);
      const program = gpu.program({ ...source, constants: { ...constants, MOST_GROUPS: 3 } });
      folding.add(program);
      return program;
    },
    dispatch(program, blocks, [x, y = 1, z = 1], parameters) {
      const folded = [Math.min(3, x * y), Math.ceil((x * y) / 3), z] as const;
      gpu.dispatch(program, blocks, folding.has(program) ? folded : [x, y, z], parameters);
    },
  };
}

describe("more workgroups than a dimension takes", () => {
  test("are folded into two", () => {
    for (const items of [0, 1, 2 ** 20, 2 ** 20 + 1, 2 ** 31]) {
      const [x, y] = grid(items, 32);
      expect(x * y * 32).toBeGreaterThanOrEqual(items);
      expect(Math.max(x, y)).toBeLessThan(2 ** 16);
      if (y > 1) expect(x).toBe(MOST_GROUPS);
    }
  });

  test("give every item its number", async () => {
    const folded = webgpuKernels(narrow());
    const scores = normals(1, 10, 210);
    const keys = normals(2, 2, 130, 3);
    const counts = Array.from({ length: 10 }, (_, r) => 7 * r);
    const rows = [1, 2].map((step) => Int32Array.from({ length: 400 }, (_, i) => (step * i) % 130));
    expectClose(await folded.maxPool(scores, 5), await reference.maxPool(scores, 5), 0);
    expectClose(await folded.groupMax(scores, 5), await reference.groupMax(scores, 5), 0);
    expectClose(await folded.keyNorms(keys), await reference.keyNorms(keys), 1e-6);
    expectClose(await folded.gather(keys, rows), await reference.gather(keys, rows), 0);
    const queries = normals(3, 4, 130, 3);
    const sums = await reference.columnSums(queries, keys, { slidingWindow: null });
    expectClose(await folded.columnSums(queries, keys, { slidingWindow: null }), sums, 1e-4);
    expect(await folded.topK(scores, counts)).toEqual([...(await reference.topK(scores, counts))]);
  });
});
