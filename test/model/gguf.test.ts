import { describe, expect, test } from "bun:test";
import { openGguf } from "../../src/model/gguf.ts";
import { ggmlTypeName } from "../../src/model/gguf-types.ts";
import type { WeightType } from "../../src/model/weights.ts";
import {
  bool,
  f32,
  type GgufEntry,
  type GgufSource,
  type GgufTensorSource,
  ggufBytes,
  integers,
  pairRows,
  text,
  texts,
  u32,
} from "../support/gguf-writer.ts";
import { normals, random } from "../support/random-model.ts";
import { faultOf, SEED, scratch } from "./helpers.ts";

const open = (folder: ReturnType<typeof scratch>, source: GgufSource) =>
  openGguf(folder.write({ "m.gguf": ggufBytes(source) }));

const refusal = async (bytes: Buffer) => {
  using folder = scratch();
  return faultOf(() => openGguf(folder.write({ "m.gguf": bytes })));
};

const matrix = (name: string, type: WeightType, more: Partial<GgufTensorSource> = {}): GgufTensorSource => ({
  name,
  type,
  shape: [8, 64],
  values: normals(random(SEED), 512),
  ...more,
});

describe("tensors", () => {
  const types: readonly WeightType[] = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"];

  test.each([...types])("of type %s come back with names, shapes, values and rows", (type) => {
    using folder = scratch();
    const { weights } = open(folder, {
      tensors: [matrix("blk.0.ffn_up.weight", "F32"), matrix("blk.7.ffn_up.weight", type)],
    });
    using _ = weights;
    const name = "model.layers.7.mlp.up_proj.weight";
    expect(weights.info(name)).toEqual({ name, type, shape: [8, 64] });
    const exact = weights.read("model.layers.0.mlp.up_proj.weight");
    const values = weights.read(name);
    for (const [i, value] of values.entries()) expect(Math.abs(value - (exact[i] ?? 0))).toBeLessThan(0.35);
    expect([...weights.readRows(name, [5, 2])]).toEqual([...values.slice(320, 384), ...values.slice(128, 192)]);
  });

  test("of both names and every part of a layer are translated", () => {
    using folder = scratch();
    const names: readonly (readonly [string, string])[] = [
      ["token_embd.weight", "model.embed_tokens.weight"],
      ["output_norm.weight", "model.norm.weight"],
      ["output.weight", "lm_head.weight"],
      ["rope_freqs.weight", "rope_freqs.weight"],
      ["blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"],
      ["blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"],
      ["blk.0.attn_k.weight", "model.layers.0.self_attn.k_proj.weight"],
      ["blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight"],
      ["blk.0.attn_output.weight", "model.layers.0.self_attn.o_proj.weight"],
      ["blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight"],
      ["blk.0.ffn_gate.weight", "model.layers.0.mlp.gate_proj.weight"],
      ["blk.0.ffn_up.weight", "model.layers.0.mlp.up_proj.weight"],
      ["blk.10.ffn_down.weight", "model.layers.10.mlp.down_proj.weight"],
      ["blk.0.attn_q.bias", "model.layers.0.self_attn.q_proj.bias"],
      ["blk.0.attn_q_norm.weight", "model.layers.0.attn_q_norm.weight"],
    ];
    const { weights } = open(folder, { tensors: names.map(([name]) => matrix(name, "F32")) });
    using _ = weights;
    expect(weights.tensors.map(({ name }) => name)).toEqual(names.map(([, name]) => name));
  });

  test.each(["F32", "Q8_0"] as const)("Q and K in %s get their rows back, as a whole and one by one", (type) => {
    using folder = scratch();
    const values = normals(random(SEED), 16 * 32);
    const shape = [16, 32];
    const tensors = [
      { name: "blk.0.attn_v.weight", type, shape, values },
      { name: "blk.0.attn_q.weight", type, shape, values: pairRows(values, 4, 32) },
      { name: "blk.0.attn_k.weight", type, shape, values: pairRows(values, 2, 32) },
    ];
    const metadata: readonly (readonly [string, GgufEntry])[] = [
      ["general.architecture", text("llama")],
      ["llama.attention.head_count", u32(4)],
      ["llama.attention.head_count_kv", u32(2)],
    ];
    const { weights } = open(folder, { metadata, tensors });
    using _ = weights;
    const expected = weights.read("model.layers.0.self_attn.v_proj.weight");
    const rows = Array.from({ length: 16 }, (_, i) => (i * 5) % 16);
    const picked = rows.flatMap((row) => [...expected.slice(row * 32, row * 32 + 32)]);
    for (const name of ["q", "k"].map((part) => `model.layers.0.self_attn.${part}_proj.weight`)) {
      expect(weights.read(name)).toEqual(expected);
      expect([...weights.readRows(name, rows)]).toEqual(picked);
    }
  });

  test("of another architecture keep their rows", () => {
    using folder = scratch();
    const metadata = [["general.architecture", text("qwen2")]] as const;
    const { weights } = open(folder, { metadata, tensors: [matrix("blk.0.attn_q.weight", "F32")] });
    using _ = weights;
    expect(weights.read("model.layers.0.self_attn.q_proj.weight")).toEqual(normals(random(SEED), 512));
  });
});

test("metadata of every type are read, whatever the version and the alignment", () => {
  using folder = scratch();
  const metadata: readonly (readonly [string, GgufEntry])[] = [
    ["u8", { type: "u8", value: 200 }],
    ["i32", { type: "i32", value: -5 }],
    ["u64", { type: "u64", value: 2 ** 40 }],
    ["f32", f32(0.5)],
    ["bool", bool(true)],
    ["text", text("naïve 🙂")],
    ["texts", texts(["a", "", "b"])],
    ["integers", integers([-1, 2])],
    ["general.alignment", u32(256)],
  ];
  const { weights, metadata: read } = open(folder, {
    version: 2,
    alignment: 256,
    metadata,
    tensors: [matrix("x", "F16")],
  });
  using _ = weights;
  const expected = [200, -5, 2 ** 40, 0.5, true, "naïve 🙂", ["a", "", "b"], [-1, 2], 256];
  expect([...read.values()]).toEqual(expected);
  expect(weights.read("x").length).toBe(512);
});

describe("a file that is refused", () => {
  const llama = [["general.architecture", text("llama")]] as const;
  const cases: readonly (readonly [string, GgufSource, string, RegExp])[] = [
    ["version 1", { version: 1 }, "unsupported_format", /version is 1, but must be 2 or 3/],
    ["a big-endian one", { version: 3 << 24 }, "unsupported_format", /little-endian/],
    ["a part of several", { metadata: [["split.count", u32(3)]] }, "unsupported_format", /llama-gguf-split/],
    [
      "a K-quant",
      { tensors: [matrix("blk.0.ffn_up.weight", "F32", { claimedType: 12 })] },
      "unsupported_format",
      /blk\.0\.ffn_up\.weight is Q4_K/,
    ],
    [
      "a type not known to anybody",
      { tensors: [matrix("x", "F32", { claimedType: 99 })] },
      "unsupported_format",
      /type 99/,
    ],
    [
      "a key twice",
      {
        metadata: [
          ["a", u32(1)],
          ["a", u32(2)],
        ],
      },
      "corrupt_file",
      /a second time/,
    ],
    ["a tensor twice", { tensors: [matrix("x", "F32"), matrix("x", "F32")] }, "corrupt_file", /a second time/],
    [
      "tensors that overlap",
      { tensors: [matrix("x", "F32"), matrix("y", "F32", { claimedOffset: 32 })] },
      "corrupt_file",
      /after the tensor/,
    ],
    [
      "an offset between alignments",
      { tensors: [matrix("x", "F32", { claimedOffset: 8 })] },
      "corrupt_file",
      /aligned/,
    ],
    [
      "an offset beyond the file",
      { tensors: [matrix("x", "F32", { claimedOffset: 2 ** 40 })] },
      "corrupt_file",
      /within/,
    ],
    [
      "sizes beyond the file",
      { tensors: [matrix("x", "F32", { shape: [2 ** 50, 2 ** 50, 2 ** 50, 32] })] },
      "corrupt_file",
      /within/,
    ],
    ["a size of nothing", { tensors: [matrix("x", "F32", { shape: [0, 4] })] }, "corrupt_file", /x is/],
    [
      "rows of half a block",
      { tensors: [matrix("x", "Q8_0", { shape: [32, 16] })] },
      "corrupt_file",
      /whole Q8_0 blocks/,
    ],
    ["five dimensions", { tensors: [matrix("x", "F32", { shape: [1, 1, 1, 8, 64] })] }, "corrupt_file", /at most 4/],
    ["an alignment of three", { metadata: [["general.alignment", u32(3)]] }, "corrupt_file", /power of two/],
    ["an alignment of none", { metadata: [["general.alignment", u32(0)]] }, "corrupt_file", /power of two/],
    ["an alignment in words", { metadata: [["general.alignment", text("32")]] }, "corrupt_file", /power of two/],
    [
      "arrays of arrays",
      { metadata: [["a", { type: "array", of: 9, values: [] }]] },
      "corrupt_file",
      /array of arrays/,
    ],
    [
      "a value of no type",
      { metadata: [["a", { type: "array", of: 77, values: [{ type: "u64", value: 1 }] }]] },
      "corrupt_file",
      /value type 77/,
    ],
    [
      "Q without a number of heads",
      { metadata: llama, tensors: [matrix("blk.0.attn_q.weight", "F32")] },
      "corrupt_file",
      /head_count/,
    ],
    [
      "Q with heads that do not fit",
      { metadata: [...llama, ["llama.attention.head_count", u32(3)]], tensors: [matrix("blk.0.attn_q.weight", "F32")] },
      "corrupt_file",
      /8 rows/,
    ],
  ];
  test.each([...cases])("%s", async (_name, source, code, message) => {
    const fault = await refusal(ggufBytes(source));
    expect(fault.code).toBe(code as typeof fault.code);
    expect(fault.message).toMatch(message);
  });

  test("no GGUF at all", async () => {
    expect((await refusal(Buffer.from("GGML____________________"))).message).toMatch(/GGUF/);
    expect((await refusal(Buffer.alloc(0))).code).toBe("corrupt_file");
  });

  test("every type of ggml has a name to refuse it by", () => {
    const unknown = [
      6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 34, 35, 39,
    ];
    for (const type of unknown) expect(ggmlTypeName(type)).not.toStartWith("type");
  });

  test("a header that claims more than the file holds, at once and without the memory", async () => {
    const claims: readonly (readonly [at: number, value: bigint])[] = [
      [8, 2n ** 63n],
      [8, 10n ** 9n],
      [16, 2n ** 64n - 1n],
      [16, 10n ** 9n],
      [24, 2n ** 40n],
      [24, 10n ** 6n],
      [41, 2n ** 50n],
      [41, 10n ** 7n],
    ];
    const honest = ggufBytes({ metadata: [["a", integers([1, 2, 3])]], tensors: [matrix("x", "F32")] });
    for (const [at, value] of claims) {
      const bytes = Buffer.from(honest);
      bytes.writeBigUInt64LE(value, at);
      const started = performance.now();
      const { code } = await refusal(bytes);
      expect(code).toBe("corrupt_file");
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });

  test("a large file that is all header, within bounded time and memory", async () => {
    const count = 30_000_000;
    const bytes = ggufBytes({ metadata: [["a", { type: "array", of: 0, values: [] }]] });
    const long = Buffer.concat([bytes.subarray(0, 49), Buffer.alloc(count)]);
    long.writeBigUInt64LE(BigInt(count), 41);
    const [before, started] = [process.memoryUsage().rss, performance.now()];
    expect((await refusal(long)).message).toMatch(/at most 419430\d in this file/);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});
