import { describe, expect, test } from "bun:test";
import { openGguf } from "../../src/model/weights/gguf.ts";
import type { QuantisedMatrix } from "../../src/model/weights/quantised.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
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
import { normal, uniform } from "../support/random.ts";
import { faultOf, SEED, scratch } from "./helpers.ts";

const open = (folder: ReturnType<typeof scratch>, source: GgufSource) =>
  openGguf(folder.write({ "m.gguf": ggufBytes(source) }));

const matrix = (name: string, type: WeightType, more: Partial<GgufTensorSource> = {}): GgufTensorSource => ({
  name,
  type,
  shape: [8, 256],
  values: normal(uniform(SEED), 8 * 256),
  ...more,
});

describe("tensors", () => {
  const quantised = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q3_K", "Q4_K", "Q5_K", "Q6_K"] as const;
  const types: readonly WeightType[] = ["F32", "F16", "BF16", ...quantised];

  test.each([...types])("of type %s come back with names, shapes, values and rows", (type) => {
    using folder = scratch();
    const { weights } = open(folder, {
      tensors: [matrix("blk.0.ffn_up.weight", "F32"), matrix("blk.7.ffn_up.weight", type)],
    });
    using _ = weights;
    const name = "model.layers.7.mlp.up_proj.weight";
    expect(weights.info(name)).toEqual({ name, type, shape: [8, 256] });
    const exact = weights.read("model.layers.0.mlp.up_proj.weight");
    const values = weights.read(name);
    for (const [i, value] of values.entries())
      expect(Math.abs(value - (exact[i] ?? 0))).toBeLessThan(type === "Q3_K" ? 0.7 : 0.35);
    expect([...weights.readRows(name, [5, 2])]).toEqual([...values.slice(1280, 1536), ...values.slice(512, 768)]);
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
      ["blk.0.attn_q_norm.weight", "model.layers.0.self_attn.q_norm.weight"],
      ["blk.0.attn_sinks.weight", "model.layers.0.attn_sinks.weight"],
      ["blk.0.constructor.weight", "model.layers.0.constructor.weight"],
    ];
    const { weights } = open(folder, { tensors: names.map(([name]) => matrix(name, "F32")) });
    using _ = weights;
    expect(weights.tensors.map(({ name }) => name)).toEqual(names.map(([, name]) => name));
  });

  test.each(["F32", "Q8_0", "Q4_K"] as const)(
    "Q and K in %s get their rows back, as a whole and one by one",
    (type) => {
      using folder = scratch();
      const values = normal(uniform(SEED), 16 * 256);
      const shape = [16, 256];
      const tensors = [
        { name: "blk.0.attn_v.weight", type, shape, values },
        { name: "blk.0.attn_q.weight", type, shape, values: pairRows(values, 4, 256) },
        { name: "blk.0.attn_k.weight", type, shape, values: pairRows(values, 2, 256) },
      ];
      const metadata: readonly (readonly [string, GgufEntry])[] = [
        ["general.architecture", text("llama")],
        ["llama.attention.head_count", u32(4)],
        ["llama.attention.head_count_kv", u32(2)],
      ];
      const { weights } = open(folder, { metadata, tensors });
      using _ = weights;
      const expected = weights.read("model.layers.0.self_attn.v_proj.weight");
      const some = [Array.from({ length: 16 }, (_, i) => (i * 5) % 16), [3, 4, 5, 6, 2, 3, 15, 7, 8], []];
      for (const name of ["v", "q", "k"].map((part) => `model.layers.0.self_attn.${part}_proj.weight`)) {
        expect(weights.read(name)).toEqual(expected);
        for (const rows of some) {
          const picked = rows.flatMap((row) => [...expected.slice(row * 256, row * 256 + 256)]);
          expect([...weights.readRows(name, rows)]).toEqual(picked);
        }
        const matrix = weights.quantised(name);
        if (matrix === null) continue;
        const whole = quantsOf(matrix, 0, 16);
        expect([...whole.slice((5 * whole.length) / 16, (9 * whole.length) / 16)]).toEqual([...quantsOf(matrix, 5, 4)]);
        const scales = scalesOf(matrix, 0, 16);
        expect([...scales.slice((5 * scales.length) / 16, (9 * scales.length) / 16)]).toEqual([
          ...scalesOf(matrix, 5, 4),
        ]);
      }
    },
  );

  test("that lie in pairs come apart by whole heads only", async () => {
    using folder = scratch();
    const values = normal(uniform(SEED), 16 * 32);
    const metadata: readonly (readonly [string, GgufEntry])[] = [
      ["general.architecture", text("llama")],
      ["llama.attention.head_count", u32(4)],
    ];
    const source = {
      name: "blk.0.attn_q.weight",
      type: "F32",
      shape: [16, 32],
      values: pairRows(values, 4, 32),
    } as const;
    const { weights } = open(folder, { metadata, tensors: [source] });
    using _ = weights;
    const of = "model.layers.0.self_attn.q_proj.weight";
    const cutAt = (row: number) =>
      weights.split([
        { name: "a", of, from: 0, rows: row },
        { name: "b", of, from: row, rows: 16 - row },
      ]);
    expect([...cutAt(8).read("b")]).toEqual([...values.slice(8 * 32)]);
    expect(cutAt(8).has(of)).toBe(false);
    const fault = await faultOf(() => cutAt(6));
    expect([fault.code, fault.message]).toEqual(["wrong_shape", expect.stringContaining("whole heads, 4 rows each")]);
  });

  test("of another architecture keep their rows", () => {
    using folder = scratch();
    const metadata = [["general.architecture", text("qwen2")]] as const;
    const { weights } = open(folder, { metadata, tensors: [matrix("blk.0.attn_q.weight", "F32")] });
    using _ = weights;
    expect(weights.read("model.layers.0.self_attn.q_proj.weight")).toEqual(normal(uniform(SEED), 8 * 256));
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
  expect(weights.read("x").length).toBe(8 * 256);
});

/** Rows of 256 columns. */
function quantsOf(matrix: QuantisedMatrix, first: number, rows: number): Uint8Array {
  const into = new Uint8Array((rows * 256 * matrix.bits) / 8);
  matrix.quants(into, first);
  return into;
}

function scalesOf(matrix: QuantisedMatrix, first: number, rows: number): Float32Array {
  const into = new Float32Array((rows * 256) / matrix.block);
  matrix.scales(into, first);
  return into;
}
