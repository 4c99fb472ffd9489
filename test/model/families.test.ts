import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configFromJson, expectedTensors, families } from "../../src/model/families/index.ts";
import { faultOf } from "./helpers.ts";

const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dir, "../fixtures/tiny", name, "config.json"), "utf8"));

const read = (config: unknown, generation: unknown = null) =>
  configFromJson({ config, generation, path: "config.json" });
const llama = (more: object = {}) => read({ ...fixture("llama"), ...more });
const refused = (more: object) => faultOf(() => llama(more));

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
    family: "llama",
    kvHeads: 2,
    headDim: 16,
    normEpsilon: 1e-5,
    rope: { theta: 10_000, scaling: null },
    tiedEmbeddings: true,
    slidingWindow: [null, null, null, null],
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

describe("what is refused", () => {
  test("an unknown architecture, with those that are known", async () => {
    const fault = await refused({ architectures: ["GPT2LMHeadModel"] });
    expect(fault.code).toBe("unsupported_architecture");
    expect(fault.message).toContain("is GPT2LMHeadModel, but must be one of LlamaForCausalLM, MistralForCausalLM");
    expect((await refused({ architectures: null, model_type: "gpt2" })).code).toBe("unsupported_architecture");
    expect((await faultOf(() => read({}))).code).toBe("unsupported_architecture");
  });

  const unsupported: readonly (readonly [string, unknown])[] = [
    ["hidden_act", "gelu"],
    ["attention_bias", true],
    ["mlp_bias", true],
    ["partial_rotary_factor", 0.5],
    ["rope_scaling", { rope_type: "yarn", factor: 4 }],
    ["rope_scaling", { type: "linear", factor: 2 }],
    ["rope_parameters", { rope_type: "dynamic" }],
  ];
  test.each([...unsupported])("%s = %j, because the network would be another", async (field, value) => {
    const fault = await refused({ [field]: value });
    expect(fault.code).toBe("unsupported_architecture");
    expect(fault.path).toContain(field);
  });

  const fields = [
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "vocab_size",
    "max_position_embeddings",
  ];
  const numbers = [...fields, "num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta"];
  const wrong: readonly (readonly [string, unknown])[] = [
    ...fields.flatMap((field) =>
      [undefined, null, 1.5, 2 ** 40, Number.MAX_VALUE].map((value) => [field, value] as const),
    ),
    ...numbers.flatMap((field) => ["64", -1, 0, {}, [64], true].map((value) => [field, value] as const)),
    ["tie_word_embeddings", "yes"],
    ["hidden_act", 1],
    ["attention_bias", 0],
    ["mlp_bias", "false"],
    ["bos_token_id", "1"],
    ["bos_token_id", -1],
    ["eos_token_id", [1, "2"]],
    ["eos_token_id", 1.5],
    ["architectures", "LlamaForCausalLM"],
    ["architectures", [1]],
    ["rope_scaling", "llama3"],
    ["rope_scaling", { rope_type: 3 }],
    ["rope_parameters", []],
    ["num_attention_heads", 5],
    ["num_key_value_heads", 3],
    ["num_key_value_heads", 8],
    ["head_dim", 15],
    ["head_dim", 2 ** 20],
    ["num_attention_heads", 1024 * 64],
  ];
  test.each([...wrong])("%s = %j", async (field, value) => {
    const fault = await refused({ [field]: value });
    expect(fault.code).toBe("invalid_config");
    expect(fault.path[0]).toBe("config.json");
    expect(fault.message).toContain("must be");
  });

  test("numbers that are each in range and too much together", async () => {
    const fault = await refused({ num_attention_heads: 1024, num_key_value_heads: 1, head_dim: 2048 });
    expect(fault.message).toContain("heads × head size is 2097152");
  });

  test("a llama3 scaling that is not whole", async () => {
    const scaling = Object(fixture("llama3-rope").rope_scaling);
    for (const change of [
      { factor: 0 },
      { factor: "8" },
      { low_freq_factor: 4 },
      { original_max_position_embeddings: null },
    ]) {
      const fault = await refused({ rope_scaling: { ...scaling, ...change } });
      expect(fault.code).toBe("invalid_config");
      expect(fault.path[0]).toBe("config.json: rope_scaling");
    }
  });

  test.each([null, 1, "{}", [], true])("a config.json that is %j", async (config) => {
    expect((await faultOf(() => read(config))).code).toBe("invalid_config");
  });

  test("a generation_config.json of other types", async () => {
    expect((await faultOf(() => read(fixture("llama"), { eos_token_id: "2" }))).path[0]).toBe("generation_config.json");
    expect((await faultOf(() => read(fixture("llama"), [1]))).code).toBe("invalid_config");
  });
});

describe.each([...families])("family $name", ({ architectures, name }) => {
  test("lists each tensor once, with shapes that follow from the config", () => {
    const config = llama({ architectures, tie_word_embeddings: false, head_dim: 32 });
    const tensors = expectedTensors(config);
    expect(config.family).toBe(name);
    expect(new Set(tensors.map((tensor) => tensor.name)).size).toBe(tensors.length);
    expect(tensors.length).toBe(3 + 9 * 4);
    const shape = (tensor: string) => tensors.find((each) => each.name === tensor)?.shape;
    expect(shape("model.layers.3.self_attn.q_proj.weight")).toEqual([128, 64]);
    expect(shape("model.layers.3.self_attn.k_proj.weight")).toEqual([64, 64]);
    expect(shape("model.layers.0.self_attn.o_proj.weight")).toEqual([64, 128]);
    expect(shape("model.layers.0.mlp.down_proj.weight")).toEqual([64, 112]);
    expect(shape("lm_head.weight")).toEqual([160, 64]);
    expect(expectedTensors({ ...config, tiedEmbeddings: true }).length).toBe(2 + 9 * 4);
  });
});
