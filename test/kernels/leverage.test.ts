import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { onnxKernels, referenceKernels, type Tensor } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import { normals } from "../support/arbitraries.ts";
import { maxDifference } from "../support/golden.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const reference = referenceKernels();
const backends = { reference, onnx: onnxKernels({ threads: 1 }), webgpu: webgpuKernels(gpu) };
const upTo = (max: number) => fc.integer({ min: 1, max });
const inputs = fc
  .record({ seed: fc.nat(2 ** 30), heads: upTo(3), length: upTo(60), size: upTo(12), short: upTo(12), ridge: upTo(8) })
  .map(({ seed, heads, length, size, short, ridge }) => ({
    vectors: normals(seed, heads, length, size),
    shortening: normals(seed + 1, size, short),
    ridge: ridge / 4,
  }));

const rowSums = ({ data, dims: [rows = 0, columns = 0] }: Tensor): number[] =>
  Array.from({ length: rows }, (_, r) => data.slice(r * columns, (r + 1) * columns).reduce((sum, x) => sum + x, 0));

/** Every head's vectors twice over. */
function doubled({ data, dims: [heads = 0, length = 0, size = 0] }: Tensor): Tensor {
  const width = length * size;
  const twice = Array.from({ length: heads }, (_, head) => [...data.slice(head * width, (head + 1) * width)]);
  return { data: Float32Array.from(twice.flatMap((own) => [...own, ...own])), dims: [heads, 2 * length, size] };
}

for (const [backend, kernels] of Object.entries(backends))
  describe(`${backend}: leverage`, () => {
    test("is a share, and there is no more of it than directions, or vectors less one", () =>
      holds(inputs, async ({ vectors, shortening, ridge }) => {
        const scores = await kernels.leverage(vectors, shortening, ridge);
        const [, length = 0, size = 0] = vectors.dims;
        assert.ok(scores.data.every((score) => score >= 0 && score < 1 + 1e-4));
        const most = Math.min(length - 1, size, shortening.dims[1] ?? 0);
        for (const sum of rowSums(scores)) assert.ok(sum <= most + 1e-3, `${sum} of ${most}`);
      }));

    test("does not change when all vectors are moved together", () =>
      holds(inputs, async ({ vectors, shortening, ridge }) => {
        const [, , size = 0] = vectors.dims;
        const moved = { data: vectors.data.map((x, i) => x + 8 * ((i % size) - 1)), dims: vectors.dims };
        const [a, b] = [
          await kernels.leverage(vectors, shortening, ridge),
          await kernels.leverage(moved, shortening, ridge),
        ];
        assert.ok(maxDifference(a.data, b.data) < 1e-3);
      }));

    test("is halved between a vector and its copy", () =>
      holds(inputs, async ({ vectors, shortening, ridge }) => {
        const once = await kernels.leverage(vectors, shortening, ridge);
        const twice = await kernels.leverage(doubled(vectors), shortening, 2 * ridge);
        const halves = doubled({ data: once.data.map((x) => x / 2), dims: [...once.dims, 1] });
        assert.ok(maxDifference(twice.data, halves.data) < 1e-3);
      }));

    test("of one vector, and of vectors that are all alike, is nothing", async () => {
      const alike = { data: new Float32Array(20).fill(3), dims: [1, 5, 4] };
      for (const vectors of [normals(1, 2, 1, 4), alike]) {
        const { data } = await kernels.leverage(vectors, normals(2, 4, 3), 0.01);
        assert.ok(data.every((score) => score === 0));
      }
    });

    test("of vectors in few directions is theirs, and finite", async () => {
      const flat = { data: normals(3, 1, 50, 8).data.map((x, i) => (i % 8 < 2 ? 100 * x : 0)), dims: [1, 50, 8] };
      const scores = await kernels.leverage(flat, normals(4, 8, 8), 1e-2);
      const [sum = Number.NaN] = rowSums(scores);
      assert.ok(Math.abs(sum - 2) < 0.05, `${sum}`);
    });
  });

describe("leverage on a GPU is that of plain loops", () => {
  const edges = fc.constantFrom(1, 3, 15, 16, 17, 64, 65);
  const shapes = fc.record({ seed: fc.nat(2 ** 30), heads: upTo(2), length: edges, size: edges, short: edges });

  for (const without of [[], ["packedDot"]] as const)
    test(`at the edges of its tiles${without.map((feature) => `, without ${feature}`)}`, async () => {
      using device = await softwareGpu({ without });
      const kernels = webgpuKernels(device);
      await holds(
        shapes,
        async ({ seed, heads, length, size, short }) => {
          const vectors = normals(seed, heads, length, size);
          const shortening = normals(seed + 1, size, short);
          // Channels that differ as those of keys do, far from nothing.
          const unlike = { ...vectors, data: vectors.data.map((x, i) => x * 2 ** (i % 7) + 10_000) };
          for (const ridge of [0.01, 1]) {
            const found = await kernels.leverage(unlike, shortening, ridge);
            const expected = await reference.leverage(unlike, shortening, ridge);
            assert.deepEqual(found.dims, expected.dims);
            const furthest = maxDifference(found.data, expected.data);
            assert.ok(furthest < 1e-3, `differs by ${furthest}`);
          }
        },
        12,
      );
    });

  test("of more vectors than are added up at once", async () => {
    const [vectors, shortening] = [normals(5, 1, 70_000, 2), normals(6, 2, 2)];
    const found = await backends.webgpu.leverage(vectors, shortening, 1e-2);
    const expected = await reference.leverage(vectors, shortening, 1e-2);
    for (const [i, share] of expected.data.entries())
      assert.ok(Math.abs((found.data[i] ?? Number.NaN) - share) < 1e-4 * share + 1e-9, `${i}`);
  });
});
