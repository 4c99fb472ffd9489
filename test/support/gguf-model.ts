/** A tiny model, written again as the GGUF that llama.cpp's converter would make of it. */

import type { ModelConfig } from "../../src/model/config.ts";
import type { WeightInfo, Weights } from "../../src/model/weights/weights.ts";
import { bools, f32, type GgufEntry, type GgufTensorSource, pairRows, text, u32 } from "./gguf-writer.ts";

const parts: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "self_attn.o_proj": "attn_output",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** Where there are norms on both sides. */
const betweenNorms: Readonly<Record<string, string>> = {
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};

/** What one matrix of the file holds, one below the other. */
const fused: Readonly<Record<string, readonly string[]>> = {
  attn_qkv: ["attn_q", "attn_k", "attn_v"],
  ffn_up: ["ffn_gate", "ffn_up"],
};

/** What llama.cpp calls the family's networks. */
const architectureOf = ({ family }: ModelConfig): string => (family === "mistral" ? "llama" : family);

/** Every tensor that the network reads, in fp32, as the family's files have them. */
export function ggufTensors(config: ModelConfig, weights: Weights): GgufTensorSource[] {
  const architecture = architectureOf(config);
  const names = { ...parts, ...(config.postNorms ? betweenNorms : {}) };
  const tensors = weights.tensors.map(({ name, shape }: WeightInfo): GgufTensorSource => {
    const [, layer, part = "", kind = ""] = /^(?:model\.layers\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(name) ?? [];
    const own = names[part] ?? part;
    const heads = own === "attn_q" ? config.queryHeads : own === "attn_k" ? config.kvHeads : null;
    const values = weights.read(name);
    return {
      name: `${layer === undefined ? "" : `blk.${layer}.`}${own}.${kind}`,
      type: "F32",
      shape,
      values: heads !== null && architecture === "llama" ? pairRows(values, heads, config.hiddenSize) : values,
    };
  });
  return architecture === "phi3" ? withFused(tensors) : tensors;
}

function withFused(tensors: readonly GgufTensorSource[]): GgufTensorSource[] {
  const taken = new Set(Object.values(fused).flat());
  const partOf = ({ name }: GgufTensorSource) => /^blk\.\d+\.(\w+)\.weight$/.exec(name)?.[1] ?? "";
  const layers = new Set(tensors.flatMap(({ name }) => /^blk\.\d+\./.exec(name)?.[0] ?? []));
  const whole = [...layers].flatMap((layer) =>
    Object.entries(fused).map(([name, pieces]): GgufTensorSource => {
      const found = pieces.flatMap(
        (piece) => tensors.find((tensor) => tensor.name === `${layer}${piece}.weight`) ?? [],
      );
      const values = Float32Array.from(found.flatMap((tensor) => Array.from(tensor.values)));
      const columns = found[0]?.shape[1] ?? 1;
      return { name: `${layer}${name}.weight`, type: "F32", shape: [values.length / columns, columns], values };
    }),
  );
  return [...tensors.filter((tensor) => !taken.has(partOf(tensor))), ...whole];
}

/** The metadata that say what `config` says; without a tokenizer. */
export function ggufMetadata(config: ModelConfig): (readonly [string, GgufEntry])[] {
  const { rope, slidingRope, slidingWindow } = config;
  const window = slidingWindow.find((tokens) => tokens !== null) ?? null;
  const own: (readonly [string, GgufEntry])[] = [
    ["block_count", u32(config.layers)],
    ["context_length", u32(config.contextLength)],
    ["embedding_length", u32(config.hiddenSize)],
    ["feed_forward_length", u32(config.intermediateSize)],
    ["attention.head_count", u32(config.queryHeads)],
    ["attention.head_count_kv", u32(config.kvHeads)],
    ["attention.key_length", u32(config.headDim)],
    ["attention.value_length", u32(config.headDim)],
    ["attention.layer_norm_rms_epsilon", f32(config.normEpsilon)],
    ["rope.dimension_count", u32(config.headDim)],
    ["rope.freq_base", f32(rope.theta)],
    ["vocab_size", u32(config.vocabSize)],
  ];
  if (window !== null) own.push(["attention.sliding_window", u32(window)]);
  if (slidingRope !== null) {
    own.push(["rope.freq_base_swa", f32(slidingRope.theta)]);
    own.push(["attention.sliding_window_pattern", bools(slidingWindow.map((tokens) => tokens !== null))]);
  }
  if (rope.scaling?.type === "linear") {
    own.push(["rope.scaling.type", text("linear")], ["rope.scaling.factor", f32(rope.scaling.factor)]);
  }
  const architecture = architectureOf(config);
  return [
    ["general.architecture", text(architecture)],
    ...own.map(([key, entry]) => [`${architecture}.${key}`, entry] as const),
  ];
}
