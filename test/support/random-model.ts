/** Tiny models with random weights, in memory: whole-network laws run on them in milliseconds. */
import type { ModelConfig } from "../../src/model/config.ts";
import type { Weights } from "../../src/model/weights/weights.ts";
import { normal, uniform } from "./random.ts";

export interface TinyShape {
  readonly layers?: number;
  readonly queryHeads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly slidingWindow?: number | null;
  readonly contextLength?: number;
}

export function tinyConfig({
  layers = 3,
  queryHeads = 4,
  kvHeads = 2,
  headDim = 8,
  slidingWindow = null,
  contextLength = 512,
}: TinyShape = {}): ModelConfig {
  return {
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
    slidingWindow: new Array<number | null>(layers).fill(slidingWindow),
    bosToken: null,
    eosTokens: [],
  };
}

/** Weights wide enough that attention is sharp and evicting an entry matters. */
export function randomWeights(config: ModelConfig, seed: number): Weights {
  const next = uniform(seed);
  const { hiddenSize, intermediateSize, queryHeads, kvHeads, headDim, vocabSize } = config;
  const matrix = (rows: number, columns: number) => ({
    shape: [rows, columns],
    data: normal(next, rows * columns, 1.5 / Math.sqrt(columns)),
  });
  const norm = () => ({ shape: [hiddenSize], data: normal(next, hiddenSize, 0.1).map((x) => x + 1) });
  const tensors = new Map([
    ["model.embed_tokens.weight", matrix(vocabSize, hiddenSize)],
    ["model.norm.weight", norm()],
  ]);
  for (let l = 0; l < config.layers; l++) {
    const add = (part: string, tensor: { shape: number[]; data: Float32Array<ArrayBuffer> }) =>
      tensors.set(`model.layers.${l}.${part}.weight`, tensor);
    add("input_layernorm", norm());
    add("self_attn.q_proj", matrix(queryHeads * headDim, hiddenSize));
    add("self_attn.k_proj", matrix(kvHeads * headDim, hiddenSize));
    add("self_attn.v_proj", matrix(kvHeads * headDim, hiddenSize));
    add("self_attn.o_proj", matrix(hiddenSize, queryHeads * headDim));
    add("post_attention_layernorm", norm());
    add("mlp.gate_proj", matrix(intermediateSize, hiddenSize));
    add("mlp.up_proj", matrix(intermediateSize, hiddenSize));
    add("mlp.down_proj", matrix(hiddenSize, intermediateSize));
  }
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
    identity: () => null,
    sha256: async () => `random-${seed}`,
    [Symbol.dispose]() {},
  };
}
