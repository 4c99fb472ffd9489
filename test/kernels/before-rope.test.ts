import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import { onnxKernels, referenceKernels } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import { rotate } from "../../src/model/rope.ts";
import { normals, turnedKeys } from "../support/arbitraries.ts";
import { maxDifference } from "../support/golden.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const backends = { reference: referenceKernels(), onnx: onnxKernels({ threads: 1 }), webgpu: webgpuKernels(gpu) };

for (const [backend, kernels] of Object.entries(backends))
  describe(`${backend}: keys before RoPE`, () => {
    test("are the ones that RoPE turned", () =>
      holds(turnedKeys, async ({ keys, positions, frequencies }) => {
        const turned = keys.data.slice();
        const size = 2 * frequencies.length;
        for (const [row, position] of positions.entries())
          rotate(turned.subarray(row * size, (row + 1) * size), frequencies, position);
        const { data, dims } = await kernels.beforeRope({ data: turned, dims: keys.dims }, positions, frequencies);
        assert.deepEqual(dims, keys.dims);
        assert.ok(maxDifference(data, keys.data) < 1e-5);
      }));

    test("are right far into a text, where angles are large", async () => {
      const [length, at] = [70_000, 69_999 * 4];
      const frequencies = Float64Array.of(1, 0.01);
      const keys = normals(1, 1, length, 4);
      const last = keys.data.slice(at);
      rotate(keys.data.subarray(at), frequencies, 100_000 + length - 1);
      const positions = Int32Array.from({ length }, (_, i) => 100_000 + i);
      const { data } = await kernels.beforeRope(keys, positions, frequencies);
      assert.ok(maxDifference(data.slice(at), last) < 1e-6);
    });
  });
