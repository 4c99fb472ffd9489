import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { onnxKernels, referenceKernels } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import { normals } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { maxDifference } from "../support/golden.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const reference = referenceKernels();
const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const backends = {
  reference: { kernels: reference, runs: 100 },
  onnx: { kernels: onnxKernels({ threads: 1 }), runs: 100 },
  webgpu: { kernels: webgpuKernels(gpu), runs: 30 },
};
const inputs = fc
  .record({
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    heads: fc.integer({ min: 1, max: 3 }),
    length: fc.integer({ min: 1, max: 40 }),
    size: fc.integer({ min: 1, max: 9 }),
    draws: fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
  })
  .map(({ seed, heads, length, size, draws }) => ({
    keys: normals(seed, heads, length, size),
    rows: Array.from({ length: heads }, (_, h) =>
      Int32Array.from(
        new Set(
          draws
            .slice(h)
            .concat(h)
            .map((draw) => draw % length),
        ),
      ).sort(),
    ),
  }));

for (const [backend, { kernels, runs }] of Object.entries(backends))
  describe(`${backend}: the key that each is most like`, () => {
    test("has the highest cosine, and a key in the list is most like itself", () =>
      holds(
        inputs,
        async ({ keys, rows }) => {
          const { places, cosines } = await kernels.nearestKeys(keys, rows);
          const expected = await reference.nearestKeys(keys, rows);
          expect(maxDifference(cosines.data, expected.cosines.data)).toBeLessThan(1e-5);
          const [heads = 0, n = 0, size = 0] = keys.dims;
          expect(cosines.dims).toEqual([heads, n]);
          for (const [i, place] of places.entries()) {
            const head = Math.floor(i / n);
            const key = (row: number) => [...keys.data.subarray((head * n + row) * size, (head * n + row + 1) * size)];
            const [a, b] = [key(i % n), key(rows[head]?.[place] ?? -1)];
            const dot = a.reduce((sum, x, c) => sum + x * (b[c] ?? Number.NaN), 0);
            expect(dot / Math.hypot(...a) / Math.hypot(...b)).toBeCloseTo(cosines.data[i] ?? Number.NaN, 4);
            const own = rows[head]?.indexOf(i % n) ?? -1;
            if (own >= 0 && size > 2) expect(place).toBe(own);
          }
        },
        runs,
      ));

    test("is the first of equals; keys without a direction are like none", async () => {
      const data = Float32Array.of(1, 0, 2, 0, 0, 0, 0, 3, 5, 0);
      const { places, cosines } = await kernels.nearestKeys({ data, dims: [1, 5, 2] }, [Int32Array.of(0, 1, 3)]);
      expect([...places]).toEqual([0, 0, 0, 2, 0]);
      expect([...cosines.data]).toEqual([1, 1, 0, 1, 1]);
    });

    test("cannot be found in no list, or one that is not of the keys", async () => {
      const keys = normals(1, 2, 3, 4);
      for (const rows of [
        [Int32Array.of(0)],
        [Int32Array.of(0), new Int32Array(0)],
        [Int32Array.of(0), Int32Array.of(3)],
      ])
        expect((await faultOf(() => kernels.nearestKeys(keys, rows))).code).toBe("wrong_shape");
    });
  });

test("onnx: the key that each is most like is found block by block as at once, where there are many", async () => {
  const [keys, rows] = [normals(3, 1, 5000, 3), Int32Array.from({ length: 2500 }, (_, i) => 2 * i)];
  const { places, cosines } = await backends.onnx.kernels.nearestKeys(keys, [rows]);
  for (const row of [0, 1676, 1678, 3354, 4998]) expect(places[row]).toBe(row / 2);
  const odd = await backends.onnx.kernels.nearestKeys(keys, [rows.slice(0, 10)]);
  for (const row of [1677, 4999]) expect(cosines.data[row]).toBeGreaterThan(odd.cosines.data[row] ?? 1);
});
