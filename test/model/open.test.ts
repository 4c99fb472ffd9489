import { describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expectedTensors } from "../../src/model/families/index.ts";
import { openModel } from "../../src/model/open.ts";
import { f32Entry, faultOf, openFiles, type SafetensorsEntry, safetensorsBytes, scratch, tiny } from "./helpers.ts";

const config = readFileSync(join(tiny("llama"), "config.json"), "utf8");

/** Zeros of the right shapes; small, because a tensor of them is stored once for all. */
async function zeros(name = "llama"): Promise<Record<string, SafetensorsEntry>> {
  using model = await openModel(tiny(name));
  const entry = (shape: readonly number[]) =>
    f32Entry(shape, { length: shape.reduce((product, size) => product * size, 1) });
  return Object.fromEntries(expectedTensors(model.config).map(({ name, shape }) => [name, entry(shape)]));
}

describe("a folder", () => {
  const families = ["llama", "llama-mha-untied", "llama3-rope", "mistral-sliding", "qwen2", "qwen3", "phi3", "gemma3"];
  test.each(families)("%s opens whole", async (name) => {
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

  test("a fused matrix that is missing, or of another height, by the name that the file has for it", async () => {
    const phi = readFileSync(join(tiny("phi3"), "config.json"), "utf8");
    const fused = "model.layers.1.self_attn.qkv_proj.weight";
    const plain = await zeros("phi3");
    const unfused = await refusal({ [weights]: safetensorsBytes(plain), "config.json": phi });
    expect([unfused.code, unfused.path[1]]).toEqual(["missing_tensor", "model.layers.0.self_attn.qkv_proj.weight"]);
    const rest = Object.entries(plain).filter(([name]) => !/(q|k|v|gate|up)_proj/.test(name));
    const layers = [0, 1, 2, 3].map((layer) => `model.layers.${layer}`);
    const whole = layers.flatMap((layer) => [
      [`${layer}.self_attn.qkv_proj.weight`, f32Entry([128, 64], { length: 128 * 64 })] as const,
      [`${layer}.mlp.gate_up_proj.weight`, f32Entry([224, 64], { length: 224 * 64 })] as const,
    ]);
    const file = (more: Readonly<Record<string, SafetensorsEntry>>) =>
      safetensorsBytes({ ...Object.fromEntries([...rest, ...whole]), ...more });
    const taller = file({ [fused]: f32Entry([160, 64], { length: 160 * 64 }) });
    const wrong = await refusal({ [weights]: taller, "config.json": phi });
    expect([wrong.code, wrong.path[1]]).toEqual(["wrong_shape", fused]);
    expect(wrong.message).toContain("is [160,64], but must be a matrix of 128 rows");
    using folder = scratch({ [weights]: file({}), "config.json": phi });
    using _ = await openModel(folder.path);
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
