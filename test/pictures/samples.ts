/** One picture of each kind, of data whose names and numbers a test chooses. */
import type { Result, Summary } from "../../src/evaluate/index.ts";
import type { Funnel } from "../../src/funnel/index.ts";
import {
  accuracyCurves,
  costCurves,
  funnelHeatmap,
  layerBudgets,
  needleHeatmap,
  type Picture,
  recallByLayer,
} from "../../src/pictures/index.ts";

export const summary = (group: Summary["group"], mean: number, kept = 128): Summary => ({
  group,
  count: 33,
  mean,
  low: Math.max(0, mean - 0.1),
  high: Math.min(1, mean + 0.1),
  small: false,
  kept,
  bytes: kept * 9216,
});

export const summariesOf = (names: readonly string[], value: number): readonly Summary[] => [
  summary({ task: "needle", method: "full", budget: "all" }, 0.97, 1000),
  ...names.flatMap((method, i) =>
    [64, 128].map((budget) => summary({ task: "needle", method, budget: String(budget) }, value / (i + 1), budget)),
  ),
];

export const needlesOf = (names: readonly string[], value: number): readonly Summary[] =>
  names.flatMap((method) =>
    [500, 1000].flatMap((length) =>
      [0, 0.5, 1].map((depth) => summary({ task: "needle", method, budget: "64", length, depth }, value)),
    ),
  );

export const funnelOf = (labels: readonly string[], layers = 3, length = 60): Funnel => ({
  length,
  window: 8,
  edges: Array.from({ length: length / 2 + 1 }, (_, i) => 2 * i),
  boundaries: labels.map((label, i) => ({ position: Math.floor((i * length) / labels.length), label })),
  layers: Array.from({ length: layers }, (_, layer) => ({
    mass: Array.from(
      { length: length / 2 },
      (_, i) => (i === 0 ? layer / layers : 0) + (1 - layer / layers) / (length / 2),
    ),
    entropy: Math.log(length / (layer + 1)),
    effectiveTokens: length / (layer + 1),
    sinks: layer / layers,
    window: 0.1,
  })),
});

/** Each kind, its names among the data. `value` is a score, a recall, a number of bytes. */
export function pictures(names: readonly string[], value = 0.5): Readonly<Record<string, Picture>> {
  const funnel = funnelOf(names);
  return {
    accuracy: accuracyCurves(summariesOf(names, value)),
    needle: needleHeatmap(needlesOf(names, value)),
    layers: layerBudgets(
      names.map((method, i) => ({
        method,
        entries: [
          [20 * i, 8],
          [4, 4],
          [value, 1],
        ],
      })),
    ),
    recall: recallByLayer(names.map((method) => ({ method, recall: [0.9, value, 0.7] }))),
    costs: costCurves(
      names.flatMap((method) =>
        [512, 4096].map((context) => ({ method, context, bytes: value * 2 ** 20, tokensPerSecond: 20 })),
      ),
    ),
    funnel: funnelHeatmap(funnel, {
      retained: funnel.layers.map(({ mass }) => mass.map((_, i) => i % 2)),
      keptBy: names[0],
    }),
  };
}

export const result = (over: Partial<Result> = {}): Result => ({
  key: "key",
  task: "needle",
  taskOptions: { lengths: [500] },
  seed: 1,
  example: "e1",
  facets: { length: 500, depth: 0.5 },
  promptTokens: 500,
  method: "snapkv",
  methodOptions: { window: 8 },
  budget: "64",
  kept: 64,
  bytes: 589824,
  answer: "7319",
  score: 1,
  recall: null,
  outputError: null,
  prefillMs: 100,
  compressMs: 10,
  decodeMs: 50,
  provenance: {
    model: "owner/name",
    revision: "abc",
    weights: "sha256:0123",
    engine: "onnx",
    precision: "fp32",
    threads: 2,
    versions: { pyramidkv: "0.1.0" },
  },
  ...over,
});
