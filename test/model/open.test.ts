import { describe, expect, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expectedTensors } from "../../src/model/families/index.ts";
import { divisorsOf } from "../../src/model/families/rope-gguf.ts";
import { type ModelFiles, openModel } from "../../src/model/open.ts";
import { ggufMetadata, ggufTensors } from "../support/gguf-model.ts";
import { type GgufEntry, ggufBytes, text, texts, u32 } from "../support/gguf-writer.ts";
import { f32Entry, faultOf, type SafetensorsEntry, safetensorsBytes, scratch } from "./helpers.ts";

const tiny = (name: string): string => join(import.meta.dir, "../fixtures/tiny", name);
const config = readFileSync(join(tiny("llama"), "config.json"), "utf8");

/** Zeros of the right shapes; small, because a tensor of them is stored once for all. */
async function zeros(): Promise<Record<string, SafetensorsEntry>> {
  using model = await openModel(tiny("llama"));
  const entry = (shape: readonly number[]) =>
    f32Entry(shape, { length: shape.reduce((product, size) => product * size, 1) });
  return Object.fromEntries(expectedTensors(model.config).map(({ name, shape }) => [name, entry(shape)]));
}

const openFiles = (): number => readdirSync("/dev/fd").length;

describe("a folder", () => {
  test.each(["llama", "llama-mha-untied", "llama3-rope", "mistral-sliding"])("%s opens whole", async (name) => {
    using model = await openModel(tiny(name));
    for (const { name, shape } of expectedTensors(model.config)) expect(model.weights.info(name).shape).toEqual(shape);
    expect(model.tokenizer).toBeNull();
    expect(model.files).toEqual(["config.json", "model.safetensors"].map((file) => join(tiny(name), file)));
  });

  test("with shards opens through their index", async () => {
    const tensors = Object.entries(await zeros());
    const map = Object.fromEntries(tensors.map(([name], i) => [name, `${i % 3}.safetensors`]));
    const shard = (i: number) => safetensorsBytes(Object.fromEntries(tensors.filter((_, j) => j % 3 === i)));
    using folder = scratch({
      "config.json": config,
      "generation_config.json": '{"eos_token_id":[2,5]}',
      "model.safetensors.index.json": JSON.stringify({ weight_map: map }),
    });
    folder.write({ "0.safetensors": shard(0), "1.safetensors": shard(1), "2.safetensors": shard(2) });
    using model = await openModel(folder.path);
    expect(model.config.eosTokens).toEqual([2, 5]);
    expect(model.weights.files.length).toBe(3);
    expect(model.files.length).toBe(6);
  });
});

/** The tiny llama as GGUF, changed. */
async function gguf(
  change: (model: Pick<ModelFiles, "config" | "weights">) => Partial<Parameters<typeof ggufBytes>[0]> = () => ({}),
  name = "llama",
): Promise<Buffer> {
  using model = await openModel(tiny(name));
  const plain = { metadata: ggufMetadata(model.config), tensors: ggufTensors(model.config, model.weights) };
  return ggufBytes({ ...plain, ...change(model) });
}

describe("a GGUF file", () => {
  test.each(["llama", "llama-mha-untied"])("made of %s is the same model, alone or in a folder", async (name) => {
    using folder = scratch({ "sub/model.gguf": await gguf(() => ({}), name) });
    using original = await openModel(tiny(name));
    for (const path of ["sub", "sub/model.gguf"].map((part) => join(folder.path, part))) {
      using model = await openModel(path);
      const { normEpsilon, ...rest } = model.config;
      expect(normEpsilon).toBeCloseTo(original.config.normEpsilon, 10);
      expect(rest).toEqual({ ...original.config, normEpsilon: undefined, bosToken: null, eosTokens: [] } as never);
      for (const { name } of original.weights.tensors)
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

describe("what is refused, and closed again", () => {
  const weights = "model.safetensors";
  const refusal = async (files: Readonly<Record<string, string | Uint8Array>>) => {
    using folder = scratch(files);
    const before = openFiles();
    const fault = await faultOf(() => openModel(folder.path));
    expect(openFiles()).toBe(before);
    return fault;
  };

  test("no folder, an empty one, one with two GGUF files, another kind of file", async () => {
    expect((await faultOf(() => openModel("/nowhere/at/all"))).code).toBe("model_not_found");
    expect((await refusal({})).message).toContain("is without weights");
    expect((await refusal({ "a.gguf": "", "b.gguf": "" })).message).toContain("is with 2 GGUF files");
    using folder = scratch({ "model.bin": "" });
    expect((await faultOf(() => openModel(join(folder.path, "model.bin")))).code).toBe("model_not_found");
  });

  test("weights without a config.json, or with one that is none", async () => {
    const tensors = safetensorsBytes(await zeros());
    expect((await refusal({ [weights]: tensors })).code).toBe("model_not_found");
    expect((await refusal({ [weights]: tensors, "config.json": "{" })).code).toBe("corrupt_file");
    expect((await refusal({ [weights]: tensors, "config.json": Buffer.from([0xff]) })).code).toBe("corrupt_file");
    expect((await refusal({ [weights]: tensors, "config.json": " ".repeat(9 << 20) })).message).toContain(
      "at most 8388608 bytes",
    );
  });

  test("a tensor that is missing, or of another shape, by its name", async () => {
    const name = "model.layers.2.mlp.up_proj.weight";
    const { [name]: _, ...rest } = await zeros();
    const missing = await refusal({ [weights]: safetensorsBytes(rest), "config.json": config });
    expect([missing.code, missing.path[1]]).toEqual(["missing_tensor", name]);
    const turned = safetensorsBytes({ ...rest, [name]: f32Entry([64, 112], { length: 7168 }) });
    const wrong = await refusal({ [weights]: turned, "config.json": config });
    expect(wrong.code).toBe("wrong_shape");
    expect(wrong.message).toContain("is [64,112], but must be [112,64], as the config says");
  });

  test("a layer's tensor that the family has no use for; but not RoPE's frequencies", async () => {
    const more = async (name: string) => safetensorsBytes({ ...(await zeros()), [name]: f32Entry([8], { length: 8 }) });
    const bias = await more("model.layers.0.self_attn.q_proj.bias");
    expect((await refusal({ [weights]: bias, "config.json": config })).code).toBe("unsupported_architecture");
    using folder = scratch({
      [weights]: await more("model.layers.0.self_attn.rotary_emb.inv_freq"),
      "config.json": config,
    });
    using _ = await openModel(folder.path);
  });

  test("a tokenizer.json that is none", async () => {
    using folder = scratch({ "config.json": config });
    copyFileSync(join(tiny("llama"), weights), join(folder.path, weights));
    for (const spoilt of [
      "",
      "{}",
      "[]",
      '{"model":{}}',
      '{"model":{"type":"BPE","vocab":{},"merges":[1]}}',
      '{"model":{"type":"BPE"},"added_tokens":7}',
    ]) {
      folder.write({ "tokenizer.json": spoilt });
      const before = openFiles();
      expect((await faultOf(() => openModel(folder.path))).code).toBe("corrupt_file");
      expect(openFiles()).toBe(before);
    }
  });

  test("weights read after disposal", async () => {
    const model = await openModel(tiny("llama"));
    model[Symbol.dispose]();
    expect((await faultOf(() => model.weights.read("model.norm.weight"))).code).toBe("disposed");
  });
});
