import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import { type Kernels, onnxKernels, referenceKernels, type Tensor } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import { normals } from "../support/arbitraries.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const ALL = { slidingWindow: null };
const matrix = (rows: number, columns: number): Tensor => normals(1, rows, columns);

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const backends: Readonly<Record<string, Kernels>> = {
  reference: referenceKernels(),
  onnx: onnxKernels({ threads: 1 }),
  webgpu: webgpuKernels(gpu),
};

for (const [backend, kernels] of Object.entries(backends)) {
  describe(`${backend} kernels`, () => {
    test("a window longer than the prompt is an error that says how long the prompt is", async () => {
      const arguments_ = [normals(1, 2, 9, 4), normals(2, 1, 8, 4), ALL] as const;
      const fault = { name: "KvError", code: "window_too_long", message: /is 9, but must be at most 8/ };
      await assert.rejects(kernels.windowAttention(...arguments_), fault);
      await assert.rejects(kernels.columnSums(...arguments_), fault);
      const [queries, keys] = arguments_;
      await assert.rejects(kernels.windowStatistics(queries, keys, new Float32Array(9), ALL), fault);
    });

    test("a window as long as the prompt leaves nothing to score", async () => {
      const scores = await kernels.windowAttention(normals(1, 2, 8, 4), normals(2, 1, 8, 4), ALL);
      assert.deepEqual(scores.dims, [2, 0]);
      const ones = new Float32Array(8).fill(1);
      const { sums, entropies } = await kernels.windowStatistics(normals(1, 2, 8, 4), normals(2, 1, 8, 4), ones, ALL);
      assert.deepEqual(
        [sums.dims, [...entropies.data]],
        [
          [2, 0],
          [0, 0],
        ],
      );
    });

    test("arrays that do not fit together are named with their shapes", async () => {
      const wrong = { name: "KvError", code: "wrong_shape" };
      const keys = normals(2, 2, 8, 4);
      await assert.rejects(kernels.windowAttention(normals(1, 3, 2, 4), keys, ALL), {
        ...wrong,
        message: /multiple of the 2 KV heads/,
      });
      await assert.rejects(kernels.columnSums(normals(1, 2, 2, 5), keys, ALL), wrong);
      await assert.rejects(kernels.columnSums({ ...keys, dims: [2, 9, 4] }, keys, ALL), wrong);
      await assert.rejects(kernels.windowStatistics(normals(1, 2, 2, 4), keys, new Float32Array(3), ALL), wrong);
      await assert.rejects(kernels.keyNorms({ ...keys, dims: [2, 9, 4] }), wrong);
      await assert.rejects(kernels.keySimilarity(matrix(2, 3)), wrong);
      await assert.rejects(kernels.projections(keys, matrix(2, 3)), wrong);
      await assert.rejects(kernels.projections(keys, matrix(3, 4)), wrong);
      await assert.rejects(kernels.quadraticForms(keys, normals(1, 2, 4, 3)), wrong);
      await assert.rejects(kernels.chunkAttention(normals(1, 2, 7, 4), keys, 4), wrong);
      await assert.rejects(kernels.chunkAttention(keys, keys, 0), { code: "invalid_option" });
      await assert.rejects(kernels.beforeRope(keys, new Int32Array(15), new Float64Array(2)), {
        ...wrong,
        message: /is 15, but must be 16, one a key/,
      });
      await assert.rejects(kernels.beforeRope(keys, new Int32Array(16), new Float64Array(4)), wrong);
      await assert.rejects(kernels.leverage(keys, matrix(3, 4), 1), wrong);
      for (const ridge of [0, -1, Number.NaN])
        await assert.rejects(kernels.leverage(keys, matrix(4, 4), ridge), { code: "invalid_option" });
      await assert.rejects(kernels.groupMean(matrix(5, 3), 2), wrong);
      await assert.rejects(kernels.groupMax(matrix(4, 3), 0), wrong);
      await assert.rejects(kernels.topK(matrix(2, 3), [1]), wrong);
      await assert.rejects(kernels.topK(matrix(2, 3), [1, 4]), wrong);
      await assert.rejects(kernels.gather(normals(1, 2, 3, 4), [Int32Array.of(0)]), wrong);
      await assert.rejects(kernels.gather(normals(1, 1, 3, 4), [Int32Array.of(3)]), wrong);
    });

    test("a pool has a middle", async () => {
      for (const size of [0, 2, -3, 1.5]) {
        await assert.rejects(kernels.maxPool(matrix(1, 9), size), { code: "invalid_option" });
        await assert.rejects(kernels.avgPool(matrix(1, 9), size), { code: "invalid_option" });
      }
    });

    test("nothing to choose from, and nothing to choose, are no special cases", async () => {
      const none = new Int32Array(0);
      assert.deepEqual(await kernels.topK(matrix(2, 0), [0, 0]), [none, none]);
      assert.deepEqual(await kernels.topK(matrix(2, 5), [0, 0]), [none, none]);
      assert.deepEqual((await kernels.maxPool(matrix(2, 0), 7)).dims, [2, 0]);
      assert.deepEqual((await kernels.groupMean(matrix(4, 0), 2)).dims, [2, 0]);
      assert.deepEqual((await kernels.keyNorms(normals(1, 2, 0, 4))).dims, [2, 0]);
      assert.deepEqual((await kernels.projections(normals(1, 2, 0, 4), matrix(4, 4))).dims, [4, 0]);
      assert.deepEqual((await kernels.quadraticForms(normals(1, 2, 0, 4), normals(1, 4, 4, 4))).dims, [4, 0]);
      assert.deepEqual((await kernels.chunkAttention(normals(1, 2, 0, 4), normals(1, 1, 0, 4), 4)).dims, [2, 0]);
      assert.deepEqual((await kernels.keySimilarity(normals(1, 2, 0, 4))).dims, [2, 0]);
      const unturned = await kernels.beforeRope(normals(1, 2, 0, 4), new Int32Array(0), new Float64Array(2));
      assert.deepEqual(unturned.dims, [2, 0, 4]);
      assert.deepEqual((await kernels.leverage(normals(1, 2, 0, 4), matrix(4, 3), 1)).dims, [2, 0]);
      assert.deepEqual((await kernels.gather(normals(1, 2, 3, 4), [none, none])).dims, [0, 4]);
    });

    test("masks are finite: keys of any size give probabilities", async () => {
      const huge = { data: normals(1, 1, 20, 4).data.map((x) => x * 1e3), dims: [1, 20, 4] };
      const { data } = await kernels.columnSums(huge, huge, { slidingWindow: 2 });
      assert.ok(Math.abs(data.reduce((total, mass) => total + mass, 0) - 20) < 1e-4);
    });
  });
}

describe("the GPU kernels", () => {
  test("free what they were given, refused or not", async () => {
    const kernels = backends.webgpu ?? assert.fail();
    const keys = normals(1, 2, 8, 4);
    const rows = [Int32Array.of(1, 2), Int32Array.of(5)];
    await kernels.windowStatistics(keys, keys, new Float32Array(8), ALL);
    await kernels.chunkAttention(keys, keys, 3);
    await kernels.groupMean(matrix(2, 3), 1);
    await kernels.maxPool(matrix(2, 3), 1);
    await kernels.topK(matrix(2, 3), [1, 2]);
    await kernels.gather(keys, rows);
    await kernels.nearestKeys(keys, rows);
    await kernels.moments(keys);
    await kernels.keySimilarity(keys);
    await kernels.projections(keys, matrix(4, 4));
    await kernels.quadraticForms(keys, normals(1, 2, 4, 4));
    await kernels.projectedNorms(keys, matrix(3, 8));
    await assert.rejects(kernels.windowStatistics(keys, keys, new Float32Array(7), ALL));
    await assert.rejects(kernels.projections(keys, matrix(2, 3)));
    assert.equal(gpu.used, 0);
  });

  test("say that their device was disposed", async () => {
    const own = await softwareGpu();
    const kernels = webgpuKernels(own);
    await kernels.maxPool(matrix(1, 9), 3);
    own[Symbol.dispose]();
    await assert.rejects(kernels.maxPool(matrix(1, 9), 3), { name: "KvError", code: "disposed" });
  });
});

describe("the CPU kernels", () => {
  test("say that they were disposed", async () => {
    const kernels = onnxKernels();
    await kernels.maxPool(matrix(1, 9), 3);
    kernels[Symbol.dispose]();
    await assert.rejects(kernels.maxPool(matrix(1, 9), 3), { name: "KvError", code: "disposed" });
  });

  test("give the same sums whatever the number of threads", async () => {
    const [queries, keys] = [normals(1, 6, 40, 8), normals(2, 2, 500, 8)];
    using one = onnxKernels({ threads: 1 });
    using two = onnxKernels({ threads: 2 });
    const [a, b] = [await one.columnSums(queries, keys, ALL), await two.columnSums(queries, keys, ALL)];
    assert.ok(a.data.every((mass, i) => Math.abs(mass - (b.data[i] ?? Number.NaN)) < 1e-6));
  });
});
