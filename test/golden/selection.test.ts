/**
 * SmolLM2's golden scores through our own steps, schedules and selection, against what the peers' code selected. Window
 * attention and column sums come from the fixture, so that only what follows them is tested. Peers break ties arbitrarily:
 * counts must be equal, and the kept scores as multisets.
 */
import { describe, expect, test } from "bun:test";
import { type Kernels, onnxKernels, type Tensor } from "../../kernels/index.ts";
import { asPublished } from "../../src/methods/as-published/index.ts";
import { h2o } from "../../src/methods/h2o.ts";
import type { Method } from "../../src/methods/method.ts";
import { observedAttention } from "../../src/methods/observed.ts";
import { pyramidKV } from "../../src/methods/pyramidkv.ts";
import { select } from "../../src/methods/select.ts";
import { snapKV } from "../../src/methods/snapkv.ts";
import { streamingLLM } from "../../src/methods/streamingllm.ts";
import { meanOverGroup } from "../../src/scoring/group.ts";
import { avgPool, maxPool } from "../../src/scoring/pool.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import { golden, maxDifference } from "../support/golden.ts";

const [LAYERS, HEADS, KV_HEADS, LENGTH, OBSERVED] = [30, 9, 3, 228, 64];
const fixture = memoised(golden("smollm2/golden-docqa-228.safetensors"));
const cpu = onnxKernels({ threads: 2 });

/** Each tensor is asked for once per layer, and is large. */
function memoised<T>(read: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const value = known.get(name) ?? read(name);
    known.set(name, value);
    return value;
  };
}

/** One layer of a golden [layers, rows, columns]. */
function goldenLayer(name: string, layer: number): Tensor {
  const { floats, dims } = fixture(name);
  const [, rows = 0, columns = 0] = dims;
  return { data: floats.slice(layer * rows * columns, (layer + 1) * rows * columns), dims: [rows, columns] };
}

/** A layer whose attention is the fixture's; its queries and keys only carry shapes. */
function observation(layer: number): LayerObservation<Tensor> {
  const kernels: Kernels = {
    ...cpu,
    windowAttention: async (queries) => goldenLayer(`win${queries.dims[1]}_sum_qhead`, layer),
  };
  const blank = (...dims: readonly number[]): Tensor => ({
    data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
    dims,
  });
  return {
    layer,
    length: LENGTH,
    kvHeads: KV_HEADS,
    positions: Int32Array.from({ length: KV_HEADS * LENGTH }, (_, i) => i % LENGTH),
    queries: blank(HEADS, OBSERVED, 1),
    keys: blank(KV_HEADS, LENGTH, 1),
    values: blank(KV_HEADS, LENGTH, 1),
    columnSums: goldenLayer("h2o_colsum_qhead", layer),
    queryMoments: null,
    probes: new Map(),
    slidingWindow: null,
    frequencies: new Float64Array(0),
    outputProjection: () => blank(1, HEADS),
    prompt: null,
    kernels,
  };
}

const layers = Array.from({ length: LAYERS }, (_, layer) => observation(layer));

describe("SmolLM2's pooled window scores", () => {
  for (const window of [8, 32]) {
    for (const [name, pool] of Object.entries({
      max5: maxPool(5),
      max7: maxPool(7),
      avg5: avgPool(5),
      avg7: avgPool(7),
    })) {
      test(`win${window}_gmean_${name}`, async () => {
        for (const view of layers.map((layer) => ({ ...layer, candidates: { from: 0, to: LENGTH - window } }))) {
          const sums = goldenLayer(`win${window}_sum_qhead`, view.layer);
          const pooled = await pool(await meanOverGroup(sums, view), view);
          const expected = goldenLayer(`win${window}_gmean_${name}`, view.layer);
          expect(pooled.dims).toEqual(expected.dims);
          expect(maxDifference(pooled.data, expected.data)).toBeLessThan(1e-6);
        }
      });
    }
  }
});

describe("SmolLM2's selections", () => {
  const { kvcacheFactory, kvpress } = asPublished;
  const methods: Readonly<Record<string, readonly ((budget: number) => Method)[]>> = {
    snapkv_factory: [(budget) => snapKV({ budget }), (budget) => kvcacheFactory.snapKV({ budget })],
    pyramid_exact: [(budget) => pyramidKV({ budget })],
    pyramid_factory: [(budget) => kvcacheFactory.pyramidKV({ budget })],
    h2o_factory: [(budget) => h2o({ budget }), (budget) => kvcacheFactory.h2o({ budget })],
    streaming: [
      (budget) => streamingLLM({ budget }),
      (budget) => kvcacheFactory.streamingLLM({ budget }),
      (budget) => kvpress.streamingLLM({ budget }),
    ],
    snapkv_kvpress_w8: [(budget) => kvpress.snapKV({ budget, window: 8 })],
    snapkv_kvpress_w32: [(budget) => kvpress.snapKV({ budget, window: 32 })],
    pyramid_kvpress_w8_beta20: [(budget) => kvpress.pyramidKV({ budget, window: 8 })],
    adakv_factory: [(budget) => kvcacheFactory.adaKV({ budget })],
    adakv_kvpress: [(budget) => kvpress.adaKV({ budget, window: 8 })],
    observed_kvpress: [(budget) => observedAttention({ budget })],
    pyramid_kvpress_w8_beta4: [(budget) => kvpress.pyramidKV({ budget, window: 8, beta: 4 })],
  };
  for (const [name, variants] of Object.entries(methods)) {
    for (const budget of [64, 128]) {
      for (const method of variants.map((build) => build(budget))) {
        test(`${name} at ${budget} is what ${method.name} keeps`, () =>
          assertSelects(method, `idx_${name}_b${budget}`));
      }
    }
  }
});

async function assertSelects(method: Method, name: string) {
  const { ints, dims } = fixture(name);
  const most = dims[2] ?? 0;
  const selection = await select(method, layers);
  for (const [layer, heads] of selection.entries()) {
    const scoreOf = await scores(method, layer);
    for (const [head, positions] of heads.entries()) {
      const at = (layer * KV_HEADS + head) * most;
      const theirs = ints.slice(at, at + most).filter((position) => position >= 0);
      expect(positions.length).toBe(theirs.length);
      const ours = scoreOf(head, positions);
      const apart = scoreOf(head, theirs).filter((score, i) => !isClose(ours[i], score));
      expect(apart).toEqual([]);
    }
  }
}

const isClose = (a = Number.NaN, b: number) => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/** Sorted scores of a head's positions. An always-kept position stands for itself, below every score. */
async function scores({ score, keep }: Method, layer: number) {
  const candidates = { from: keep.first, to: LENGTH - keep.last };
  const evaluated = await score?.evaluate({ ...observation(layer), candidates });
  return (head: number, positions: Iterable<number>): number[] => {
    const scoreAt = (position: number) => {
      const isCandidate = position >= candidates.from && position < candidates.to;
      if (!isCandidate) return -1 - position;
      return evaluated?.data[head * (candidates.to - candidates.from) + position - candidates.from] ?? Number.NaN;
    };
    return Array.from(positions, scoreAt).sort((a, b) => a - b);
  };
}
