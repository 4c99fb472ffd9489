/** What every merge must obey, on random layers; and that each is what its formula says. */

import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Kernels, onnxKernels, referenceKernels } from "../../kernels/index.ts";
import { webgpuKernels } from "../../kernels/webgpu.ts";
import {
  camMerge,
  compress,
  compressInBlocks,
  d2oMerge,
  h2o,
  kvMerger,
  type Merge,
  type MergeView,
  merged,
  mergeRegistry,
  packed,
  prefill,
  pyramidKV,
  snapKV,
  streamingLLM,
} from "../../src/index.ts";
import { mixed } from "../../src/merging/mix.ts";
import { observations } from "../../src/observations.ts";
import { allNeeds } from "../../src/scoring/needs.ts";
import type { Tensor } from "../../src/tensor.ts";
import { layersOf } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { maxDifference } from "../support/golden.ts";
import { onNetworks } from "../support/network-laws.ts";
import { uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { softwareGpu } from "../support/software-gpu.ts";
import { tinyModel } from "../support/tiny-model.ts";
import { plainMerges } from "./plain.ts";

const SIZE = 4;
const RUNS = 40;
const shapes = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  layers: fc.constant(2),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  length: fc.integer({ min: 8, max: 60 }),
  budget: fc.constant(1),
  share: fc.constantFrom(0, 0.1, 0.5, 0.95, 1),
  /** How much of a key is that of the one before: the larger, the longer the runs. */
  smooth: fc.constantFrom(0, 0.8),
});
type Shape = typeof shapes extends fc.Arbitrary<infer S> ? S : never;

/** The upper of two random layers (the sliding window is on it), each head with random rows kept, perhaps none. */
async function viewOf(shape: Shape, kernels: Kernels): Promise<MergeView<Tensor>> {
  const { seed, kvHeads, length, share, smooth } = shape;
  const [, layer] = await layersOf(shape, kernels);
  if (layer === undefined) throw new Error("no layer");
  const next = uniform(seed);
  const kept = Array.from({ length: kvHeads }, () =>
    Int32Array.from({ length }, (_, row) => row).filter(() => next() < share),
  );
  const data = layer.keys.data.slice();
  for (let i = SIZE; i < data.length; i++)
    if (i % (length * SIZE) >= SIZE) data[i] = smooth * (data[i - SIZE] ?? 0) + (1 - smooth) * (data[i] ?? 0);
  return { ...layer, keys: { data, dims: layer.keys.dims }, kept };
}

const rowsOf = (data: Float32Array) =>
  Array.from({ length: data.length / SIZE }, (_, i) => [...data.subarray(i * SIZE, (i + 1) * SIZE)]);

const gathered = async ({ kernels, keys, values, kept }: MergeView<Tensor>) => ({
  keys: (await kernels.gather(keys, kept)).data,
  values: (await kernels.gather(values, kept)).data,
});

/** Mean over the group of what the last 8 queries give to each row. */
async function attention({ kernels, keys, queries, slidingWindow, kvHeads }: MergeView<Tensor>): Promise<number[][]> {
  const [heads = 0, observed = 0, size = 0] = queries.dims;
  const last = queries.data.filter((_, i) => i % (observed * size) >= (observed - 8) * size);
  const { data, dims } = await kernels.columnSums({ data: last, dims: [heads, 8, size] }, keys, { slidingWindow });
  const [, n = 0] = dims;
  const group = heads / kvHeads;
  return Array.from({ length: kvHeads }, (_, kvHead) =>
    Array.from({ length: n }, (_, j) => {
      const own = Array.from({ length: group }, (_, g) => data[(kvHead * group + g) * n + j] ?? 0);
      return own.reduce((a, b) => a + b, 0) / group;
    }),
  );
}

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const backends: Readonly<Record<string, { readonly kernels: Kernels; readonly runs: number }>> = {
  reference: { kernels: referenceKernels(), runs: RUNS },
  onnx: { kernels: onnxKernels({ threads: 1 }), runs: RUNS },
  webgpu: { kernels: webgpuKernels(gpu), runs: 10 },
};
const merges = Object.entries<() => Merge>(mergeRegistry);

for (const [backend, { kernels, runs }] of Object.entries(backends))
  for (const [name, make] of merges)
    test(`${name} is what its formula says (${backend})`, () =>
      holds(
        shapes,
        async (shape) => {
          const view = await viewOf(shape, kernels);
          const merge = make();
          const result = await mixed(merge, view, await gathered(view));
          const draws = xoroshiro128plus(view.layer);
          const observed = await attention(view);
          const [keys, values] = [rowsOf(view.keys.data), rowsOf(view.values.data)];
          const expected = view.kept.map((kept, head) =>
            plainMerges[name]?.({
              keys: keys.slice(head * shape.length, (head + 1) * shape.length),
              values: values.slice(head * shape.length, (head + 1) * shape.length),
              kept: [...kept],
              attention: observed[head] ?? [],
              draw: () => uniformFloat64(draws),
            }),
          );
          expect(
            maxDifference(
              result.keys,
              expected.flatMap((head) => head?.keys.flat() ?? []),
            ),
          ).toBeLessThan(1e-5);
          expect(
            maxDifference(
              result.values,
              expected.flatMap((head) => head?.values.flat() ?? []),
            ),
          ).toBeLessThan(1e-5);
        },
        runs,
      ));

describe.each(merges)("%s", (_name, make) => {
  const kernels = referenceKernels();

  test("leaves what is kept as it is where nothing goes, and gives the same twice", () =>
    holds(
      shapes,
      async (shape) => {
        const view = await viewOf(shape, kernels);
        const merge = make();
        const everything = Int32Array.from({ length: shape.length }, (_, i) => i);
        const whole = { ...view, kept: view.kept.map(() => everything) };
        const kept = await gathered(whole);
        expect(await mixed(merge, whole, kept)).toEqual(kept);
        const before = await gathered(view);
        const once = await mixed(merge, view, before);
        expect(await mixed(merge, view, before)).toEqual(once);
        expect(before).toEqual(await gathered(view));
      },
      RUNS,
    ));

  test.each([
    ["snapkv", snapKV],
    ["pyramidkv", pyramidKV],
    ["streamingllm", streamingLLM],
    ["h2o", h2o],
  ])("keeps the positions and the memory of %s", (_name, factory) =>
    onNetworks(
      ({ budget }) => merged(factory({ budget }), make()),
      async ({ context, budget }) => {
        const method = factory({ budget });
        using plain = await compress(context, method);
        using cache = await compress(context, merged(method, make()));
        expect(cache.layers.map(({ positions, offsets }) => ({ positions, offsets }))).toEqual(
          plain.layers.map(({ positions, offsets }) => ({ positions, offsets })),
        );
        expect({ bytes: cache.bytes, length: cache.length }).toEqual({ bytes: plain.bytes, length: plain.length });
        if (budget < context.length)
          for (const [layer, observed] of observations(context).entries()) {
            const [before, after] = [plain.layers[layer], cache.layers[layer]];
            if (before === undefined || after === undefined) throw new Error(`no layer ${layer}`);
            const kept = Array.from({ length: observed.kvHeads }, (_, head) => plain.positions(layer, head));
            const expected = await mixed(make(), { ...observed, kept }, before);
            expect({ keys: after.keys, values: after.values }).toEqual(expected);
          }
        using whole = await compress(context, merged(factory({ budget: context.length }), make()));
        expect(whole.layers).toEqual(context.layers);
      },
      8,
    ),
  );
});

/** Those whose weights are shares of one. */
const means = merges.filter(([name]) => name !== "weighted" && name !== "cam");

test.each(means)("%s makes nothing larger or smaller than what it is made of", (_name, make) =>
  holds(
    shapes,
    async (shape) => {
      const view = await viewOf(shape, referenceKernels());
      const { keys, values } = await mixed(make(), view, await gathered(view));
      const owners = view.kept.flatMap(({ length }, head) => new Array<number>(length).fill(head));
      for (const [made, from] of [
        [keys, view.keys.data],
        [values, view.values.data],
      ] as const) {
        const of = (head: number) => rowsOf(from).slice(head * shape.length, (head + 1) * shape.length);
        const bounds = view.kept.map((_, head) =>
          Array.from({ length: SIZE }, (_, c) => {
            const column = of(head).map((row) => row[c] ?? 0);
            return [Math.min(...column) - 1e-5, Math.max(...column) + 1e-5] as const;
          }),
        );
        const within = rowsOf(made).every((row, i) =>
          row.every((x, c) => {
            const [low, high] = bounds[owners[i] ?? -1]?.[c] ?? [0, 0];
            return low <= x && x <= high;
          }),
        );
        expect(within).toBe(true);
      }
    },
    RUNS,
  ),
);

describe("a merge", () => {
  test("is told by the method: name, options, what prefill must observe", () => {
    const plain = snapKV({ budget: 64 });
    const method = merged(plain, camMerge({ window: 40, seed: 3 }));
    expect(method.name).toBe("snapkv+cam");
    expect(method.options).toEqual({ ...plain.options, merge: { name: "cam", window: 40, span: 32, seed: 3 } });
    expect(method.needs).toEqual(allNeeds([{ queries: 40 }]));
    expect(merged(h2o({ budget: 64 }), d2oMerge()).needs).toEqual(h2o({ budget: 64 }).needs);
  });

  test("of another seed draws others", async () => {
    const view = await viewOf(
      { seed: 5, layers: 2, kvHeads: 2, group: 1, length: 60, budget: 1, share: 0.5, smooth: 0 },
      referenceKernels(),
    );
    const kept = await gathered(view);
    const values = await Promise.all(
      [0, 0, 1].map(async (seed) => (await mixed(camMerge({ seed }), view, kept)).values),
    );
    expect(values[1]).toEqual(values[0]);
    expect(values[2]).not.toEqual(values[0]);
  });

  test("with a wrong option is refused", async () => {
    const cases: readonly (readonly [() => unknown, readonly string[]])[] = [
      [() => camMerge({ window: 0 }), ["camMerge", "window"]],
      [() => camMerge({ span: 1.5 }), ["camMerge", "span"]],
      [() => camMerge({ seed: Number.NaN }), ["camMerge", "seed"]],
      [() => kvMerger({ threshold: 2 }), ["kvMerger", "threshold"]],
      [() => kvMerger(Object({ thresold: 0.5 })), ["kvMerger", "thresold"]],
    ];
    for (const [make, path] of cases) {
      const fault = await faultOf(make);
      expect({ code: fault.code, path: fault.path }).toEqual({ code: "invalid_option", path });
    }
  });

  test("that needs more queries than were observed says what to pass", async () => {
    using model = await tinyModel();
    const prompt = Int32Array.from({ length: 90 }, (_, i) => (7 * i) % 64);
    const method = merged(snapKV({ budget: 10 }), camMerge({ window: 65 }));
    using context = await prefill(model, prompt);
    expect((await faultOf(() => compress(context, method))).code).toBe("observation_missing");
    using seen = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(seen, method);
    expect(cache.length).toBe(90);
  });

  test("goes with packed positions and with blocks", async () => {
    using model = await tinyModel();
    const prompt = Int32Array.from({ length: 40 }, (_, i) => (7 * i) % 64);
    const plain = merged(snapKV({ budget: 16 }), d2oMerge());
    using context = await prefill(model, prompt, { observe: [plain] });
    using cache = await compress(context, packed(plain));
    using blocks = await compressInBlocks(model, prompt, packed(plain), {
      block: 8,
      working: Number.POSITIVE_INFINITY,
    });
    expect({ length: blocks.length, name: packed(plain).name }).toEqual({ length: 16, name: "packed(snapkv+d2o)" });
    for (const [layer, { values }] of cache.layers.entries())
      expect(maxDifference(blocks.layers[layer]?.values ?? [], values)).toBeLessThan(1e-5);
  });
});
