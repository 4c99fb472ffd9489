import { describe, expect, test } from "bun:test";
import { plain } from "../../src/model/families/decoder.ts";
import { expectedTensors, families } from "../../src/model/families/index.ts";
import { fixture, llama, read } from "./config-fixtures.ts";

test("the tiny fixtures are what their makers said", () => {
  const common = {
    layers: 4,
    hiddenSize: 64,
    intermediateSize: 112,
    queryHeads: 4,
    vocabSize: 160,
    contextLength: 512,
  };
  expect(llama()).toEqual({
    ...common,
    ...plain,
    family: "llama",
    kvHeads: 2,
    headDim: 16,
    normEpsilon: 1e-5,
    rope: { theta: 10_000, scaling: null },
    tiedEmbeddings: true,
    slidingWindow: [null, null, null, null],
    activation: "silu",
    bosToken: 1,
    eosTokens: [2],
  });
  expect(read(fixture("llama-mha-untied"))).toMatchObject({ ...common, kvHeads: 4, tiedEmbeddings: false });
  expect(read(fixture("mistral-sliding"))).toMatchObject({
    family: "mistral",
    headDim: 16,
    slidingWindow: [24, 24, 24, 24],
  });
  expect(read(fixture("llama3-rope"))).toMatchObject({
    headDim: 32,
    rope: { scaling: { type: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 64 } },
  });
  expect(read(fixture("qwen2"))).toMatchObject({ ...common, ...plain, family: "qwen2", attentionBias: true });
  expect(read(fixture("qwen3"))).toMatchObject({ ...common, ...plain, headDim: 32, queryKeyNorm: true });
  expect(read(fixture("phi3"))).toMatchObject({ ...common, ...plain, tiedEmbeddings: false });
  expect(read(fixture("gemma3"))).toMatchObject({
    ...common,
    tiedEmbeddings: true,
    embeddingScale: 8,
    queryKeyNorm: true,
    queryScale: 1,
    postNorms: true,
    activation: "gelu-tanh",
    slidingWindow: [24, 24, null, 24],
    rope: { theta: 1e6, scaling: null },
    slidingRope: { theta: 10_000, scaling: null },
  });
});

describe("defaults and variants", () => {
  test("absent fields mean what transformers takes them for", () => {
    const {
      num_key_value_heads: _k,
      head_dim: _d,
      tie_word_embeddings: _t,
      rms_norm_eps: _e,
      eos_token_id: _o,
      ...least
    } = fixture("llama");
    const expected = { kvHeads: 4, headDim: 16, tiedEmbeddings: false, normEpsilon: 1e-6, eosTokens: [] };
    expect(read(least)).toMatchObject(expected);
  });

  test("Mistral's window is 4096 where absent and none where null", () => {
    const { sliding_window: _, ...mistral } = fixture("mistral-sliding");
    expect(read(mistral).slidingWindow).toEqual([4096, 4096, 4096, 4096]);
    expect(read({ ...mistral, sliding_window: null }).slidingWindow).toEqual([null, null, null, null]);
  });

  test("a family is known by its model_type where architectures is absent", () => {
    expect(llama({ architectures: null }).family).toBe("llama");
    expect(read({ ...fixture("mistral-sliding"), architectures: [] }).family).toBe("mistral");
  });

  test("RoPE's older and newer spellings say the same", () => {
    const scaling = fixture("llama3-rope").rope_scaling;
    const { rope_type: type, ...rest } = Object(scaling);
    const { rope } = read(fixture("llama3-rope"));
    const { rope_theta: theta, rope_scaling: _, ...without } = fixture("llama3-rope");
    expect(read({ ...without, rope_theta: theta, rope_scaling: { type, ...rest } }).rope).toEqual(rope);
    expect(read({ ...without, rope_parameters: { rope_theta: theta, rope_type: type, ...rest } }).rope).toEqual(rope);
    const plain = { rope_parameters: { rope_type: "default", rope_theta: 5e5 } };
    expect(llama(plain).rope).toEqual({ theta: 5e5, scaling: null });
  });

  test("end tokens of both files count, once each", () => {
    const config = { ...fixture("llama"), eos_token_id: [2, 3] };
    expect(read(config, { eos_token_id: [3, 7] }).eosTokens).toEqual([2, 3, 7]);
    expect(read(config, { eos_token_id: 9 }).eosTokens).toEqual([2, 3, 9]);
    expect(read(config, {}).eosTokens).toEqual([2, 3]);
  });
});

describe.each([...families])("family $name", ({ architectures, name }) => {
  test("lists each tensor once, with shapes that follow from the config", () => {
    const config = llama({ architectures, tie_word_embeddings: false, head_dim: 32 });
    const tensors = expectedTensors(config);
    expect(config.family).toBe(name);
    expect(new Set(tensors.map((tensor) => tensor.name)).size).toBe(tensors.length);
    const { attentionBias, queryKeyNorm, postNorms } = config;
    const inLayer = 9 + (attentionBias ? 3 : 0) + (queryKeyNorm ? 2 : 0) + (postNorms ? 2 : 0);
    expect(tensors.length).toBe(3 + inLayer * 4);
    const shape = (tensor: string) => tensors.find((each) => each.name === tensor)?.shape;
    expect(shape("model.layers.3.self_attn.q_proj.weight")).toEqual([128, 64]);
    expect(shape("model.layers.3.self_attn.k_proj.weight")).toEqual([64, 64]);
    expect(shape("model.layers.0.self_attn.o_proj.weight")).toEqual([64, 128]);
    expect(shape("model.layers.0.mlp.down_proj.weight")).toEqual([64, 112]);
    expect(shape("lm_head.weight")).toEqual([160, 64]);
    expect(expectedTensors({ ...config, tiedEmbeddings: true }).length).toBe(2 + inLayer * 4);
  });
});
