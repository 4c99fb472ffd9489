/** Tiny models with random weights, in memory: whole-network laws run on them in milliseconds. */
import type { ModelConfig } from "../../src/model/config.ts";
import { decoderTensors, plain } from "../../src/model/families/decoder.ts";
import type { Weights } from "../../src/model/weights/weights.ts";
import { normal, uniform } from "./random.ts";

export interface TinyShape {
  readonly layers?: number;
  readonly queryHeads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly slidingWindow?: Windows;
  readonly contextLength?: number;
  /** What the network has beyond Llama's. Default: nothing. */
  readonly kind?: NetworkKind;
}

/** The sliding window of every layer, or of each, over and over. */
export type Windows = number | null | readonly (number | null)[];

/** Networks as families vary them, all of a family's variations together. */
export type NetworkKind = "llama" | "biased" | "normed" | "gemma";

const kinds: Readonly<Record<NetworkKind, Partial<ModelConfig>>> = {
  llama: {},
  biased: { attentionBias: true, tiedEmbeddings: false },
  normed: { queryKeyNorm: true },
  gemma: {
    slidingRope: { theta: 100, scaling: { type: "linear", factor: 2 } },
    embeddingScale: Math.sqrt(32),
    queryKeyNorm: true,
    queryScale: 0.8,
    postNorms: true,
    activation: "gelu-tanh",
  },
};

export function tinyConfig({
  layers = 3,
  queryHeads = 4,
  kvHeads = 2,
  headDim = 8,
  slidingWindow = null,
  contextLength = 512,
  kind = "llama",
}: TinyShape = {}): ModelConfig {
  const windows = slidingWindow === null || typeof slidingWindow === "number" ? [slidingWindow] : slidingWindow;
  return {
    ...plain,
    family: "llama",
    layers,
    hiddenSize: 32,
    intermediateSize: 48,
    queryHeads,
    kvHeads,
    headDim,
    vocabSize: 64,
    contextLength,
    normEpsilon: 1e-5,
    rope: { theta: 10000, scaling: null },
    tiedEmbeddings: true,
    slidingWindow: Array.from({ length: layers }, (_, layer) => windows[layer % windows.length] ?? null),
    activation: "silu",
    bosToken: null,
    eosTokens: [],
    ...kinds[kind],
  };
}

/** Weights wide enough that attention is sharp and evicting an entry matters. */
export function randomWeights(config: ModelConfig, seed: number): Weights {
  const next = uniform(seed);
  const tensors = new Map(
    decoderTensors(config).map(({ name, shape }) => [name, { shape, data: randomTensor(next, name, shape) }]),
  );
  const get = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`no tensor ${name}`);
    return tensor;
  };
  return {
    tensors: [...tensors].map(([name, { shape }]) => ({ name, shape, type: "F32" })),
    files: [],
    has: (name) => tensors.has(name),
    info: (name) => ({ name, shape: get(name).shape, type: "F32" }),
    read(name, into) {
      const { data } = get(name);
      if (into === undefined) return data.slice();
      into.set(data);
      return into;
    },
    readRows(name, rows) {
      const { data, shape } = get(name);
      const width = shape[1] ?? 1;
      const out = new Float32Array(rows.length * width);
      for (const [i, row] of Array.from(rows).entries())
        out.set(data.subarray(row * width, (row + 1) * width), i * width);
      return out;
    },
    quantised: () => null,
    split: () => {
      throw new Error("no tensor is fused");
    },
    identity: () => null,
    sha256: async () => `random-${seed}`,
    [Symbol.dispose]() {},
  };
}

function randomTensor(next: () => number, name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [rows = 1, columns] = shape;
  if (columns !== undefined) return normal(next, rows * columns, 1.5 / Math.sqrt(columns));
  const spread = normal(next, rows, 0.1);
  return name.endsWith(".bias") ? spread.map((x) => 5 * x) : spread.map((x) => x + 1);
}
