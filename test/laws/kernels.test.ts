import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { attentionRow } from "../../kernels/attention-row.ts";
import { type Kernels, onnxKernels, referenceKernels, type Tensor } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import { attentionInputs, matrices, normals, ties, turnedKeys } from "../support/arbitraries.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const reference = referenceKernels();
const oddSizes = fc.integer({ min: 0, max: 6 }).map((half) => 2 * half + 1);

function assertClose(actual: Tensor, expected: Tensor, tolerance = 1e-5) {
  assert.deepEqual(actual.dims, expected.dims);
  assert.equal(actual.data.length, expected.data.length);
  const furthest = expected.data.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - (actual.data[i] ?? Number.NaN))),
    0,
  );
  assert.ok(furthest <= tolerance, `differs by ${furthest}`);
}

/** The columns [0, to) of a matrix. */
const cut = ({ data, dims: [rows = 0, columns = 0] }: Tensor, to: number): Tensor => ({
  data: data.filter((_, i) => i % columns < to),
  dims: [rows, to],
});

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

interface Backend {
  readonly kernels: Kernels;
  /** Random values of a law. */
  readonly runs: number;
  /** More queries, keys and chunked positions than the backend takes at once. */
  readonly many: { readonly queries: number; readonly keys: number; readonly chunked: number };
}

const backends: Readonly<Record<string, Backend>> = {
  onnx: { kernels: onnxKernels({ threads: 2 }), runs: 100, many: { queries: 800, keys: 2000, chunked: 5000 } },
  webgpu: { kernels: webgpuKernels(gpu), runs: 50, many: { queries: 20, keys: 1100, chunked: 500 } },
};

const lawsOf =
  (runs: number) =>
  <T>(values: fc.Arbitrary<T>, property: (value: T) => Promise<void>): Promise<void> =>
    holds(values, property, runs);

for (const [backend, { kernels, runs, many }] of Object.entries(backends)) {
  describe(`${backend} kernels agree with the reference`, () => {
    const law = lawsOf(runs);

    test("window attention", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const expected = await reference.windowAttention(queries, keys, visibility);
        assertClose(await kernels.windowAttention(queries, keys, visibility), expected);
      }));

    test("column sums", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const expected = await reference.columnSums(queries, keys, visibility);
        assertClose(await kernels.columnSums(queries, keys, visibility), expected);
      }));

    test("statistics of the window's attention, its queries weighted", () =>
      law(fc.tuple(attentionInputs, fc.infiniteStream(fc.nat(4))), async ([{ queries, keys, visibility }, draws]) => {
        const weights = Float32Array.from([...draws.take(queries.dims[1] ?? 0)], (draw) => draw / 2);
        const expected = await reference.windowStatistics(queries, keys, weights, visibility);
        const found = await kernels.windowStatistics(queries, keys, weights, visibility);
        assertClose(found.sums, expected.sums);
        assertClose(found.squares, expected.squares);
        assertClose(found.entropies, expected.entropies, 1e-4);
      }));

    test("column sums over more queries than one block takes", async () => {
      const [queries, keys] = [normals(1, 1, many.queries, 4), normals(2, 1, many.keys, 4)];
      for (const slidingWindow of [null, 100]) {
        const expected = await reference.columnSums(queries, keys, { slidingWindow });
        assertClose(await kernels.columnSums(queries, keys, { slidingWindow }), expected, 1e-4);
      }
    });

    test("column maxima, and sums of attention relative to what is even", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const [most, relative] = [
          await reference.columnMax(queries, keys, visibility),
          await reference.relativeSums(queries, keys, visibility),
        ];
        assertClose(await kernels.columnMax(queries, keys, visibility), most);
        assertClose(await kernels.relativeSums(queries, keys, visibility), relative, 1e-3);
      }));

    test("how many queries look at a key more than at the average one, but where that hangs on the last digit", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const expected = await reference.aboveAverage(queries, keys, visibility);
        const { data, dims } = await kernels.aboveAverage(queries, keys, visibility);
        assert.deepEqual(dims, expected.dims);
        const [heads = 0, s = 0, size = 0] = queries.dims;
        const [kvHeads = 1, length = 0] = keys.dims;
        const doubtful = new Float32Array(data.length);
        for (let h = 0; h < heads; h++) {
          const own = keys.data.subarray(Math.floor((h * kvHeads) / heads) * length * size).subarray(0, length * size);
          for (let i = 0; i < s; i++) {
            const query = queries.data.subarray((h * s + i) * size).subarray(0, size);
            const row = attentionRow(query, own, length - s + i, visibility);
            const seen = row.filter((attention) => attention > 0).length;
            for (const [j, attention] of row.entries())
              if (Math.abs(attention * seen - 1) < 1e-5) doubtful[h * length + j] = (doubtful[h * length + j] ?? 0) + 1;
          }
        }
        for (const [i, count] of data.entries())
          assert.ok(Math.abs(count - (expected.data[i] ?? Number.NaN)) <= (doubtful[i] ?? 0));
      }));

    test("maxima and counts over more queries than one block takes", async () => {
      const [queries, keys] = [normals(1, 1, many.queries, 4), normals(2, 1, many.keys, 4)];
      for (const slidingWindow of [null, 100]) {
        const expected = await reference.columnMax(queries, keys, { slidingWindow });
        assertClose(await kernels.columnMax(queries, keys, { slidingWindow }), expected, 1e-4);
        const counts = await reference.aboveAverage(queries, keys, { slidingWindow });
        assertClose(await kernels.aboveAverage(queries, keys, { slidingWindow }), counts, 2);
      }
    });

    test("lengths of values, and of what the output projection makes of them", () =>
      law(fc.tuple(attentionInputs, fc.integer({ min: 1, max: 20 })), async ([{ queries, keys }, hidden]) => {
        assertClose(await kernels.valueNorms(keys), await reference.valueNorms(keys), 1e-4);
        const [heads = 0, , size = 0] = queries.dims;
        const projection = normals(hidden, hidden, heads * size);
        const expected = await reference.projectedNorms(keys, projection);
        assertClose(await kernels.projectedNorms(keys, projection), expected, 1e-3);
      }));

    test("what is projected comes in blocks where it is long", async () => {
      const [values, projection] = [normals(1, 2, 2100, 4), normals(2, 3, 4 * 4)];
      assertClose(
        await kernels.projectedNorms(values, projection),
        await reference.projectedNorms(values, projection),
        1e-3,
      );
      await assert.rejects(kernels.projectedNorms(values, normals(2, 3, 6)), { code: "wrong_shape" });
    });

    test("group mean and maximum", () =>
      law(matrices, async ({ scores, kvHeads }) => {
        assertClose(await kernels.groupMean(scores, kvHeads), await reference.groupMean(scores, kvHeads));
        assertClose(await kernels.groupMax(scores, kvHeads), await reference.groupMax(scores, kvHeads), 0);
      }));

    test("lengths of keys, and how like the others they are", () =>
      law(attentionInputs, async ({ keys }) => {
        assertClose(await kernels.keyNorms(keys), await reference.keyNorms(keys));
        assertClose(await kernels.keySimilarity(keys), await reference.keySimilarity(keys));
      }));

    test("products of keys with vectors, and under matrices, each for its own head", () =>
      law(attentionInputs, async ({ queries, keys }) => {
        const [heads = 0, , size = 0] = queries.dims;
        const directions = normals(heads, heads, size);
        assertClose(await kernels.projections(keys, directions), await reference.projections(keys, directions));
        const matrices = normals(heads + 1, heads, size, size);
        assertClose(await kernels.quadraticForms(keys, matrices), await reference.quadraticForms(keys, matrices), 1e-3);
      }));

    test("keys before RoPE, at positions that heads share and at their own", () =>
      law(turnedKeys, async ({ keys, positions, frequencies }) => {
        const expected = await reference.beforeRope(keys, positions, frequencies);
        assertClose(await kernels.beforeRope(keys, positions, frequencies), expected);
      }));

    test("leverage, of more vectors than channels and of fewer, shortened and not", () =>
      law(fc.tuple(attentionInputs, fc.integer({ min: 1, max: 16 })), async ([{ keys }, short]) => {
        const [, , size = 0] = keys.dims;
        const offset = { ...keys, data: keys.data.map((x, i) => x + 30 * (i % size)) }; // far from 0, as real keys are
        const shortening = normals(short, size, short);
        const expected = await reference.leverage(offset, shortening, 0.5);
        assertClose(await kernels.leverage(offset, shortening, 0.5), expected, 1e-3);
      }));

    test("sums of vectors and of their products with themselves", () =>
      law(attentionInputs, async ({ queries: vectors }) => {
        const [found, expected] = [await kernels.moments(vectors), await reference.moments(vectors)];
        assertClose(found.sums, expected.sums, 1e-4);
        assertClose(found.products, expected.products, 1e-4);
      }));

    test("attention within chunks, the last one shorter", () =>
      law(fc.tuple(attentionInputs, fc.integer({ min: 1, max: 90 })), async ([{ queries, keys }, chunk]) => {
        const [heads = 0] = queries.dims;
        const [, length = 0, size = 0] = keys.dims;
        const all = normals(length, heads, length, size);
        const expected = await reference.chunkAttention(all, keys, chunk);
        assertClose(await kernels.chunkAttention(all, keys, chunk), expected);
      }));

    test("attention within more chunks than are done at once", async () => {
      const [queries, keys] = [normals(1, 2, many.chunked, 4), normals(2, 1, many.chunked, 4)];
      const chunk = 0.22 * many.chunked;
      const expected = await reference.chunkAttention(queries, keys, chunk);
      assertClose(await kernels.chunkAttention(queries, keys, chunk), expected, 1e-4);
    });

    test("keys without a direction are like no other", async () => {
      const keys = { data: normals(1, 1, 3, 4).data.fill(0, 0, 4), dims: [1, 3, 4] };
      const cosines = (await kernels.keySimilarity(keys)).data;
      assert.equal(cosines[0], 0);
      assert.ok([...cosines].every(Number.isFinite));
      const none = { data: new Float32Array(12), dims: [1, 3, 4] };
      assert.deepEqual([...(await kernels.keySimilarity(none)).data], [0, 0, 0]);
      const data = normals(8, 80).data.map((x, i) => (i % 2 ? Math.abs(x) : -Math.abs(x)));
      const cancelling = { data, dims: [1, 80, 1] };
      assert.ok((await kernels.keySimilarity(cancelling)).data.every((cosine) => cosine === 0));
    });

    test("pools, those wider than a row among them", () =>
      law(fc.tuple(matrices, oddSizes), async ([{ scores }, size]) => {
        assertClose(await kernels.maxPool(scores, size), await reference.maxPool(scores, size), 0);
        assertClose(await kernels.avgPool(scores, size), await reference.avgPool(scores, size));
      }));

    test("top-k, its counts different in every row", () =>
      law(fc.tuple(matrices, fc.infiniteStream(fc.nat())), async ([{ scores }, draws]) => {
        const [rows = 0, columns = 0] = scores.dims;
        const counts = [...draws.take(rows)].map((draw) => draw % (columns + 1));
        assert.deepEqual(await kernels.topK(scores, counts), await reference.topK(scores, counts));
      }));

    test("top-k of long rows full of ties", async () => {
      for (const [levels, count] of [
        [2, 7],
        [2, 19_000],
        [50, 3000],
        [1000, 128],
        [1, 4000],
      ] as const) {
        const scores = ties(levels, levels, 3, 20_000);
        const counts = [count, 0, Math.floor(count / 2)];
        assert.deepEqual(await kernels.topK(scores, counts), await reference.topK(scores, counts));
      }
    });

    test("gather", () =>
      law(
        fc.record({
          heads: fc.integer({ min: 1, max: 4 }),
          size: fc.integer({ min: 1, max: 9 }),
          kept: fc.array(fc.nat(19)),
        }),
        async ({ heads, size, kept }) => {
          const entries = normals(heads, heads, 20, size);
          const positions = [...new Set(kept)].sort((a, b) => a - b);
          const rows = Array.from({ length: heads }, (_, h) => Int32Array.from(positions.slice(h)));
          assertClose(await kernels.gather(entries, rows), await reference.gather(entries, rows), 0);
        },
      ));
  });
}

for (const [backend, { kernels, runs }] of Object.entries({
  reference: { kernels: reference, runs: 100 },
  ...backends,
})) {
  describe(`${backend} kernels`, () => {
    const law = lawsOf(runs);

    test("column sums of a head add up to its queries", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const {
          data,
          dims: [heads = 0, length = 0],
        } = await kernels.columnSums(queries, keys, visibility);
        const [, s = 0] = queries.dims;
        for (let h = 0; h < heads; h++) {
          const total = data.subarray(h * length, (h + 1) * length).reduce((sum, mass) => sum + mass, 0);
          assert.ok(Math.abs(total - s) <= 1e-5 * s);
        }
      }));

    test("a key's most is at least its mean and at most its sum; of one query it is the sum", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const [, s = 0] = queries.dims;
        const sums = await kernels.columnSums(queries, keys, visibility);
        const most = await kernels.columnMax(queries, keys, visibility);
        for (const [i, sum] of sums.data.entries()) {
          const own = most.data[i] ?? Number.NaN;
          assert.ok(own <= sum + 1e-5 && own >= sum / s - 1e-5);
        }
      }));

    test("relative attention of a head adds up to the keys that its queries see", () =>
      law(attentionInputs, async ({ queries, keys, visibility: { slidingWindow } }) => {
        const { data, dims } = await kernels.relativeSums(queries, keys, { slidingWindow });
        const [heads = 0, length = 0] = dims;
        const [, s = 0] = queries.dims;
        let seen = 0;
        for (let i = length - s; i < length; i++) seen += Math.min(i + 1, slidingWindow ?? i + 1);
        for (let h = 0; h < heads; h++) {
          const total = data.subarray(h * length, (h + 1) * length).reduce((sum, share) => sum + share, 0);
          assert.ok(Math.abs(total - seen) <= 1e-4 * seen);
        }
      }));

    test("where all keys are alike, every query that sees one looks at it as at the average one", async () => {
      const keys = { data: new Float32Array(8 * 4), dims: [1, 8, 4] }; // attention is a power of two
      for (const slidingWindow of [null, 4]) {
        const { data } = await kernels.aboveAverage(normals(1, 1, 1, 4), keys, { slidingWindow });
        assert.deepEqual([...data], slidingWindow === null ? Array(8).fill(1) : [0, 0, 0, 0, 1, 1, 1, 1]);
      }
    });

    test("window attention is the column sums before the window", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const sums = await kernels.columnSums(queries, keys, visibility);
        const window = await kernels.windowAttention(queries, keys, visibility);
        assertClose(window, cut(sums, (keys.dims[1] ?? 0) - (queries.dims[1] ?? 0)));
      }));

    test("the window's statistics add up to its attention; entropy is highest where all keys get alike", () =>
      law(attentionInputs, async ({ queries, keys, visibility }) => {
        const [, w = 0] = queries.dims;
        const ones = new Float32Array(w).fill(1);
        const { sums } = await kernels.windowStatistics(queries, keys, ones, visibility);
        assertClose(sums, await kernels.windowAttention(queries, keys, visibility));
        const blind = { ...queries, data: new Float32Array(queries.data.length) };
        const { squares, entropies } = await kernels.windowStatistics(blind, keys, ones, { slidingWindow: null });
        const [, n = 0] = keys.dims;
        const seen = Array.from({ length: w }, (_, i) => n - w + i + 1);
        const evenly = seen.reduce((total, count) => total + ((n - w) * Math.log(count)) / count, 0);
        for (const entropy of entropies.data) assert.ok(Math.abs(entropy - evenly) < 1e-4 * (1 + evenly));
        const square = seen.reduce((total, count) => total + 1 / count ** 2, 0);
        for (const one of squares.data) assert.ok(Math.abs(one - square) < 1e-5);
      }));

    test("a key's likeness does not depend on lengths, and is 1 where all point one way", async () => {
      const { data, dims } = normals(5, 2, 9, 4);
      const longer = { data: data.map((x, i) => x * (1 + Math.floor(i / 4))), dims };
      assertClose(await kernels.keySimilarity(longer), await kernels.keySimilarity({ data, dims }));
      const alike = { data: Float32Array.from({ length: 36 }, (_, i) => (i % 4) + 1), dims: [1, 9, 4] };
      assertClose(await kernels.keySimilarity(alike), { data: new Float32Array(9).fill(1), dims: [1, 9] });
    });

    test("a query sees its sliding window and nothing else", async () => {
      const [queries, keys] = [normals(3, 1, 1, 4), normals(4, 1, 10, 4)];
      const { data } = await kernels.columnSums(queries, keys, { slidingWindow: 3 });
      assert.deepEqual(
        [...data].map((mass) => mass > 0),
        [...Array(7).fill(false), true, true, true],
      );
    });

    test("top-k equals a sort in which equal scores keep their order", () =>
      law(matrices, async ({ scores }) => {
        const [rows = 0, columns = 0] = scores.dims;
        const count = Math.ceil(columns / 2);
        const best = await kernels.topK(scores, Array(rows).fill(count));
        best.forEach((chosen, r) => {
          const row = [...scores.data.subarray(r * columns, (r + 1) * columns)];
          const ranked = row.map((score, j) => ({ score, j })).sort((a, b) => b.score - a.score || a.j - b.j);
          assert.deepEqual(
            [...chosen],
            ranked
              .slice(0, count)
              .map(({ j }) => j)
              .sort((a, b) => a - b),
          );
        });
      }));
  });
}
