/** How much is measured: all that the goals speak of, or as little as a software device runs in a minute. */
import type { ModelConfig } from "../../src/model/config.ts";
import { everyLayer, plain } from "../../src/model/families/decoder.ts";

export interface Scale {
  readonly name: string;
  readonly config: ModelConfig;
  /** Tokens of the prompt. */
  readonly prompt: number;
  /** Tokens that go through the network at once. */
  readonly chunk: number;
  /** Entries kept per KV head: where compression and memory are looked at. */
  readonly budget: number;
  /** The same where decoding is. */
  readonly small: number;
  /** Sequences that decode together. */
  readonly batches: readonly number[];
  /** Of the attention kernel: sequences, and entries per KV head on average. */
  readonly attention: { readonly batch: number; readonly mean: number };
  /** Bytes of what bandwidth is measured on: more than any cache of a device holds. */
  readonly bytes: number;
  /** Rows and columns of the matrices whose product shows what our tiles can do at best. */
  readonly square: number;
  /** Invocations that do nothing but multiply and add. */
  readonly multipliers: number;
  /** Samples of which the median counts, and seconds that each must last. */
  readonly samples: number;
  readonly least: number;
  /** Steps timed for a rate of decoding. */
  readonly steps: number;
}

/** Llama-3-8B, with the positions of 3.1, which reach beyond 32k. */
const llama: ModelConfig = {
  ...plain,
  family: "llama",
  layers: 32,
  hiddenSize: 4096,
  intermediateSize: 14336,
  queryHeads: 32,
  kvHeads: 8,
  headDim: 128,
  vocabSize: 128256,
  contextLength: 131072,
  normEpsilon: 1e-5,
  rope: {
    theta: 500000,
    scaling: { type: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 8192 },
  },
  tiedEmbeddings: false,
  slidingWindow: everyLayer(32, null),
  activation: "silu",
  bosToken: null,
  eosTokens: [],
};

export const scales: Readonly<Record<"full" | "tiny", Scale>> = {
  full: {
    name: "full",
    config: llama,
    prompt: 32768,
    chunk: 1024,
    budget: 2048,
    small: 128,
    batches: [1, 16],
    attention: { batch: 16, mean: 2048 },
    bytes: 512 * 2 ** 20,
    square: 4096,
    multipliers: 2 ** 20,
    samples: 5,
    least: 0.05,
    steps: 24,
  },
  tiny: {
    name: "tiny",
    config: {
      ...llama,
      layers: 2,
      hiddenSize: 128,
      intermediateSize: 256,
      queryHeads: 4,
      kvHeads: 2,
      headDim: 32,
      vocabSize: 256,
      slidingWindow: everyLayer(2, null),
    },
    prompt: 256,
    chunk: 64,
    budget: 64,
    small: 24,
    batches: [1, 4],
    attention: { batch: 2, mean: 64 },
    bytes: 2 ** 18,
    square: 64,
    multipliers: 2 ** 10,
    samples: 3,
    least: 0.002,
    steps: 3,
  },
};

/** The same with other sizes, where they are given: goals do not speak of it. */
export function resized(scale: Scale, layers: number | undefined, prompt: number | undefined): Scale {
  if (layers === undefined && prompt === undefined) return scale;
  const { config } = scale;
  const count = layers ?? config.layers;
  return {
    ...scale,
    name: `${scale.name}, resized`,
    config: { ...config, layers: count, slidingWindow: everyLayer(count, null) },
    prompt: prompt ?? scale.prompt,
  };
}
