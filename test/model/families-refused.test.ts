import { describe, expect, test } from "bun:test";
import { fixture, llama, read } from "./config-fixtures.ts";
import { faultOf } from "./helpers.ts";

const refused = (more: object) => faultOf(() => llama(more));

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
    ["hidden_activation", "relu"],
    ["attention_bias", true],
    ["mlp_bias", true],
    ["partial_rotary_factor", 0.5],
    ["rope_scaling", { rope_type: "yarn", factor: 4 }],
    ["rope_scaling", { type: "longrope", short_factor: [1], long_factor: [1] }],
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
