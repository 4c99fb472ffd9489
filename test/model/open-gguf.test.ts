import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expectedTensors } from "../../src/model/families/index.ts";
import { divisorsOf } from "../../src/model/families/rope-gguf.ts";
import { type ModelFiles, openModel } from "../../src/model/open.ts";
import { ggufMetadata, ggufTensors } from "../support/gguf-model.ts";
import { type GgufEntry, type GgufSource, ggufBytes, text, texts, u32 } from "../support/gguf-writer.ts";
import { faultOf, openFiles, scratch, tiny } from "./helpers.ts";

/** The tiny llama as GGUF, changed. */
async function gguf(
  change: (model: Pick<ModelFiles, "config" | "weights">) => GgufSource = () => ({}),
  name = "llama",
): Promise<Buffer> {
  using model = await openModel(tiny(name));
  const plain = { metadata: ggufMetadata(model.config), tensors: ggufTensors(model.config, model.weights) };
  return ggufBytes({ ...plain, ...change(model) });
}

describe("a GGUF file", () => {
  const families = ["llama", "llama-mha-untied", "qwen2", "qwen3", "phi3", "gemma3"];
  test.each(families)("made of %s is the same model, alone or in a folder", async (name) => {
    using folder = scratch({ "sub/model.gguf": await gguf(() => ({}), name) });
    using original = await openModel(tiny(name));
    for (const path of ["sub", "sub/model.gguf"].map((part) => join(folder.path, part))) {
      using model = await openModel(path);
      const { normEpsilon, ...rest } = model.config;
      expect(normEpsilon).toBeCloseTo(original.config.normEpsilon, 10);
      expect(rest).toEqual({ ...original.config, normEpsilon: undefined, bosToken: null, eosTokens: [] } as never);
      for (const { name } of expectedTensors(original.config))
        expect(model.weights.read(name)).toEqual(original.weights.read(name));
      expect(model.files).toEqual([join(folder.path, "sub/model.gguf")]);
      expect(model.tokenizer).toBeNull();
    }
  });

  const llama3 = {
    type: "llama3",
    factor: 32,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalContextLength: 8192,
  } as const;
  const withDivisors = (divisors: readonly number[]) =>
    gguf(({ config, weights }) => ({
      tensors: [
        ...ggufTensors(config, weights),
        { name: "rope_freqs.weight", type: "F32", shape: [divisors.length], values: divisors },
      ],
    }));

  test("with Llama 3's frequencies has its scaling", async () => {
    using folder = scratch({ "m.gguf": await withDivisors(divisorsOf(llama3, 10_000, 8)) });
    using model = await openModel(folder.path);
    expect(model.config.rope).toEqual({ theta: 10_000, scaling: llama3 });
  });

  test("with frequencies of ones has none, and with others is refused", async () => {
    using folder = scratch({ "m.gguf": await withDivisors(new Array(8).fill(1)) });
    using model = await openModel(folder.path);
    expect(model.config.rope.scaling).toBeNull();
    folder.write({ "m.gguf": await withDivisors([1, 1, 2, 3, 4, 5, 6, 7]) });
    const fault = await faultOf(() => openModel(folder.path));
    expect([fault.code, fault.path[1]]).toEqual(["unsupported_architecture", "rope_freqs.weight"]);
  });

  const changes: readonly (readonly [string, string, GgufEntry, string])[] = [
    ["another architecture", "general.architecture", text("gpt2"), "unsupported_architecture"],
    ["experts", "llama.expert_count", u32(8), "unsupported_architecture"],
    ["YaRN", "llama.rope.scaling.type", text("yarn"), "unsupported_architecture"],
    ["a linear RoPE of nothing", "llama.rope.scale_linear", u32(0), "invalid_config"],
    ["a partial RoPE", "llama.rope.dimension_count", u32(8), "unsupported_architecture"],
    ["values of another width", "llama.attention.value_length", u32(8), "unsupported_architecture"],
    ["a width in words", "llama.embedding_length", text("64"), "invalid_config"],
    ["no layers", "llama.block_count", u32(0), "invalid_config"],
    ["too many layers", "llama.block_count", u32(2 ** 31), "invalid_config"],
    ["one layer too many", "llama.block_count", u32(5), "missing_tensor"],
    ["one layer too few", "llama.block_count", u32(3), "unsupported_architecture"],
    ["another vocabulary", "llama.vocab_size", u32(161), "wrong_shape"],
    ["another width inside", "llama.feed_forward_length", u32(96), "wrong_shape"],
    ["an unknown pre-tokenizer", "tokenizer.ggml.pre", text("nobody's"), "corrupt_file"],
  ];
  test.each([...changes])("with %s is refused", async (_name, key, value, code) => {
    const bytes = await gguf(({ config }) => ({ metadata: [...new Map([...ggufMetadata(config), [key, value]])] }));
    using folder = scratch({ "m.gguf": bytes });
    const before = openFiles();
    expect((await faultOf(() => openModel(folder.path))).code).toBe(code as never);
    expect(openFiles()).toBe(before);
  });

  test("with LongRoPE's factors is refused", async () => {
    const bytes = await gguf(({ config, weights }) => {
      const factors = {
        name: "rope_factors_long.weight",
        type: "F32",
        shape: [8],
        values: new Float32Array(8),
      } as const;
      return { tensors: [...ggufTensors(config, weights), factors] };
    }, "phi3");
    using folder = scratch({ "m.gguf": bytes });
    const fault = await faultOf(() => openModel(folder.path));
    expect([fault.code, fault.path[1]]).toEqual(["unsupported_architecture", "rope_factors_long.weight"]);
  });

  test("with a linear RoPE has its factor", async () => {
    const linear = { theta: 10_000, scaling: { type: "linear", factor: 4 } } as const;
    const bytes = await gguf(({ config }) => ({ metadata: ggufMetadata({ ...config, rope: linear }) }));
    using folder = scratch({ "m.gguf": bytes });
    using model = await openModel(folder.path);
    expect(model.config.rope).toEqual(linear);
  });

  test("with a tokenizer not known here is refused by the name of its kind", async () => {
    const tokens = (model: string, pre: string) =>
      gguf(({ config }) => ({
        metadata: [
          ...ggufMetadata(config),
          ["tokenizer.ggml.model", text(model)],
          ["tokenizer.ggml.pre", text(pre)],
          ["tokenizer.ggml.tokens", texts(Array.from({ length: 160 }, (_, i) => `t${i}`))],
        ],
      }));
    using folder = scratch({ "m.gguf": await tokens("gpt2", "dolphin") });
    expect((await faultOf(() => openModel(folder.path))).message).toContain(
      "tokenizer.ggml.pre is dolphin, but must be one of gpt-2",
    );
    folder.write({ "m.gguf": await tokens("rwkv", "gpt-2") });
    expect((await faultOf(() => openModel(folder.path))).message).toContain("tokenizer.ggml.model is rwkv");
  });

  test("with a bias is refused, because the network would leave it out", async () => {
    const bytes = await gguf(({ config, weights }) => ({
      tensors: [
        ...ggufTensors(config, weights),
        { name: "blk.1.attn_q.bias", type: "F32", shape: [64], values: new Float32Array(64) },
      ],
    }));
    using folder = scratch({ "m.gguf": bytes });
    const fault = await faultOf(() => openModel(folder.path));
    expect([fault.code, fault.path[1]]).toEqual(["unsupported_architecture", "model.layers.1.self_attn.q_proj.bias"]);
  });
});
