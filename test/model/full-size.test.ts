/** Models as they are published: what their config.json or GGUF metadata say, against the parameters that the Hub counts in their files. */

import { describe, expect, test } from "bun:test";
import { configFromGguf, expectedTensors } from "../../src/model/families/index.ts";
import type { GgufValue } from "../../src/model/weights/gguf-header.ts";
import { randomWeights, tinyConfig } from "../support/random-model.ts";
import { read } from "./config-fixtures.ts";
import { faultOf } from "./helpers.ts";

/** hidden_size, intermediate_size, layers, query heads, KV heads, vocabulary */
type Sizes = readonly [number, number, number, number, number, number];

const config = (name: string, [hidden, intermediate, layers, heads, kvHeads, vocab]: Sizes, more: object = {}) => ({
  architectures: [`${name}ForCausalLM`],
  hidden_size: hidden,
  intermediate_size: intermediate,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  vocab_size: vocab,
  max_position_embeddings: 131_072,
  rms_norm_eps: 1e-5,
  ...more,
});

const tied = { tie_word_embeddings: true };
const scaling = {
  rope_type: "llama3",
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};
const qwen = { sliding_window: 32_768, max_window_layers: 21, use_sliding_window: false, rope_theta: 1e6 };
const gemma = { head_dim: 256, sliding_window: 512, rope_theta: 1e6, rope_local_base_freq: 10_000 };

const models: Readonly<Record<string, { readonly json: object; readonly parameters: number }>> = {
  "Llama-3.1-8B": {
    json: config("Llama", [4096, 14_336, 32, 32, 8, 128_256], { rope_scaling: { ...scaling, factor: 8 } }),
    parameters: 8_030_261_248,
  },
  "Llama-3.2-1B": {
    json: config("Llama", [2048, 8192, 16, 32, 8, 128_256], { ...tied, rope_scaling: { ...scaling, factor: 32 } }),
    parameters: 1_235_814_400,
  },
  "Llama-3.3-70B": { json: config("Llama", [8192, 28_672, 80, 64, 8, 128_256]), parameters: 70_553_706_496 },
  "Mistral-7B-v0.1": {
    json: config("Mistral", [4096, 14_336, 32, 32, 8, 32_000], { sliding_window: 4096 }),
    parameters: 7_241_732_096,
  },
  "Mistral-7B-Instruct-v0.3": {
    json: config("Mistral", [4096, 14_336, 32, 32, 8, 32_768], { sliding_window: null, head_dim: 128 }),
    parameters: 7_248_023_552,
  },
  "Qwen2.5-0.5B": {
    json: config("Qwen2", [896, 4864, 24, 14, 2, 151_936], { ...tied, ...qwen }),
    parameters: 494_032_768,
  },
  "Qwen2.5-7B": { json: config("Qwen2", [3584, 18_944, 28, 28, 4, 152_064], qwen), parameters: 7_615_616_512 },
  "Qwen3-0.6B": {
    json: config("Qwen3", [1024, 3072, 28, 16, 8, 151_936], { ...tied, head_dim: 128, sliding_window: null }),
    parameters: 596_049_920,
  },
  "Qwen3-8B": { json: config("Qwen3", [4096, 12_288, 36, 32, 8, 151_936]), parameters: 8_190_735_360 },
  "Phi-3-mini-4k": {
    json: config("Phi3", [3072, 8192, 32, 32, 32, 32_064], { sliding_window: 2047, rope_scaling: null }),
    parameters: 3_821_079_552,
  },
  "phi-4": {
    json: config("Phi3", [5120, 17_920, 40, 40, 10, 100_352], { sliding_window: null }),
    parameters: 14_659_507_200,
  },
  "gemma-3-270m": { json: config("Gemma3", [640, 2048, 18, 4, 1, 262_144], gemma), parameters: 268_098_176 },
  "gemma-3-1b": { json: config("Gemma3", [1152, 6912, 26, 4, 1, 262_144], gemma), parameters: 999_885_952 },
};

test.each(Object.entries(models))("%s has as many parameters", (_, { json, parameters }) => {
  const sizes = expectedTensors(read(json)).map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameters);
});

describe("layers slide", () => {
  const windows = (name: string, more: object = {}) => read({ ...models[name]?.json, ...more }).slidingWindow;

  test("all in Mistral 0.1 and Phi-3, none in Mistral 0.3, Qwen and Phi-4", () => {
    expect(new Set(windows("Mistral-7B-v0.1"))).toEqual(new Set([4096]));
    expect(new Set(windows("Phi-3-mini-4k"))).toEqual(new Set([2047]));
    for (const name of ["Mistral-7B-Instruct-v0.3", "Qwen2.5-0.5B", "Qwen3-0.6B", "phi-4"])
      expect(new Set(windows(name))).toEqual(new Set([null]));
  });

  test("in Qwen from a layer on, if it says so", () => {
    const upper = windows("Qwen2.5-0.5B", { use_sliding_window: true });
    expect(upper.map((window) => window === 32_768)).toEqual(Array.from({ length: 24 }, (_, layer) => layer >= 21));
  });

  test("five of six in Gemma, by rule or by list", () => {
    const expected = Array.from({ length: 18 }, (_, layer) => (layer % 6 === 5 ? null : 512));
    expect(windows("gemma-3-270m")).toEqual(expected);
    expect(windows("gemma-3-270m", { sliding_window_pattern: 6 })).toEqual(expected);
    const types = expected.map((window) => (window === null ? "full_attention" : "sliding_attention"));
    expect(windows("gemma-3-270m", { sliding_window_pattern: 2, layer_types: types })).toEqual(expected);
  });

  test("by a list of their own length and kinds only", async () => {
    const refused = (types: readonly string[]) => faultOf(() => windows("Qwen3-0.6B", { layer_types: types }));
    expect((await refused(["full_attention"])).code).toBe("invalid_config");
    expect((await refused(new Array(28).fill("linear_attention"))).code).toBe("unsupported_architecture");
  });
});

describe("Gemma", () => {
  const gemmaJson = (more: object) => read({ ...models["gemma-3-1b"]?.json, ...more });
  const both = {
    rope: { theta: 1e6, scaling: { type: "linear", factor: 8 } },
    slidingRope: { theta: 10_000, scaling: null },
  };

  test("has two kinds of RoPE, in the older spelling and the newer", () => {
    expect(gemmaJson({ rope_scaling: { rope_type: "linear", factor: 8 } })).toMatchObject(both);
    const parameters = {
      full_attention: { rope_type: "linear", factor: 8, rope_theta: 1e6 },
      sliding_attention: { rope_type: "default", rope_theta: 10_000 },
    };
    const { rope_theta: _t, rope_local_base_freq: _l, ...without } = Object(models["gemma-3-1b"]?.json);
    expect(read({ ...without, rope_parameters: parameters })).toMatchObject(both);
  });

  test("divides by another size than the heads' where it says so", () => {
    expect(gemmaJson({ query_pre_attn_scalar: 64 }).queryScale).toBe(2);
    expect(gemmaJson({}).queryScale).toBe(1);
  });

  test.each([
    ["attn_logit_softcapping", 50],
    ["final_logit_softcapping", 30],
    ["use_bidirectional_attention", true],
    ["hidden_activation", "silu"],
  ])("with %s = %j would be another network", async (field, value) => {
    const fault = await faultOf(() => gemmaJson({ [field]: value }));
    expect([fault.code, fault.path.at(-1)]).toEqual(["unsupported_architecture", field]);
  });

  const metadata = (layers: number, hidden: number, heads: number) =>
    new Map<string, GgufValue>([
      ["general.architecture", "gemma3"],
      ["gemma3.block_count", layers],
      ["gemma3.context_length", 131_072],
      ["gemma3.embedding_length", hidden],
      ["gemma3.feed_forward_length", 21_504],
      ["gemma3.attention.head_count", heads],
      ["gemma3.attention.head_count_kv", 16],
      ["gemma3.attention.key_length", 128],
      ["gemma3.attention.value_length", 128],
      ["gemma3.attention.layer_norm_rms_epsilon", 1e-6],
      ["gemma3.attention.sliding_window", 1024],
      ["gemma3.rope.freq_base", 1e6],
      ["gemma3.rope.scaling.type", "linear"],
      ["gemma3.rope.scaling.factor", 8],
      ["gemma3.vocab_size", 262_208],
    ]);
  const gguf = (...sizes: readonly [number, number, number]) =>
    configFromGguf({ metadata: metadata(...sizes), weights: randomWeights(tinyConfig(), 1), path: "m.gguf" });

  test("in GGUF has what llama.cpp takes for granted: which layers slide, their RoPE, and how the 27B model divides", () => {
    const config = gguf(62, 5376, 32);
    expect(config).toMatchObject(both);
    expect(config.slidingWindow).toEqual(Array.from({ length: 62 }, (_, layer) => (layer % 6 === 5 ? null : 1024)));
    expect(config.queryScale).toBe(Math.sqrt(128 / 168));
    expect(gguf(48, 3840, 16).queryScale).toBe(1);
  });
});

test("YaRN and LongRoPE are refused by name, whichever the family", async () => {
  for (const name of ["Qwen2.5-7B", "Qwen3-8B", "Phi-3-mini-4k"]) {
    for (const type of ["yarn", "longrope"]) {
      const fault = await faultOf(() => read({ ...models[name]?.json, rope_scaling: { type, factor: 4 } }));
      expect(fault.code).toBe("unsupported_architecture");
      expect(fault.message).toContain(`rope_scaling is ${type}, but must be default or linear or llama3`);
    }
  }
});
