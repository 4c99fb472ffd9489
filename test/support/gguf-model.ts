/** A tiny model's safetensors, written again as the GGUF that llama.cpp's converter would make of it. */

import type { ModelConfig } from "../../src/model/config.ts";
import type { WeightInfo, Weights } from "../../src/model/weights/weights.ts";
import { f32, type GgufEntry, type GgufTensorSource, pairRows, text, u32 } from "./gguf-writer.ts";

const parts: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** Every tensor, in fp32. */
export function ggufTensors(config: ModelConfig, weights: Weights): GgufTensorSource[] {
  return weights.tensors.map(({ name, shape }: WeightInfo) => {
    const [, layer, part = ""] = /^(?:model\.layers\.(\d+)\.)?(.+)\.weight$/.exec(name) ?? [];
    const own = parts[part] ?? part;
    const heads = own === "attn_q" ? config.queryHeads : own === "attn_k" ? config.kvHeads : null;
    const values = weights.read(name);
    return {
      name: `${layer === undefined ? "" : `blk.${layer}.`}${own}.weight`,
      type: "F32",
      shape,
      values: heads === null ? values : pairRows(values, heads, config.hiddenSize),
    };
  });
}

/** The metadata that say what `config` says; without a tokenizer. */
export function ggufMetadata(config: ModelConfig): (readonly [string, GgufEntry])[] {
  return [
    ["general.architecture", text("llama")],
    ["llama.block_count", u32(config.layers)],
    ["llama.context_length", u32(config.contextLength)],
    ["llama.embedding_length", u32(config.hiddenSize)],
    ["llama.feed_forward_length", u32(config.intermediateSize)],
    ["llama.attention.head_count", u32(config.queryHeads)],
    ["llama.attention.head_count_kv", u32(config.kvHeads)],
    ["llama.attention.key_length", u32(config.headDim)],
    ["llama.attention.value_length", u32(config.headDim)],
    ["llama.attention.layer_norm_rms_epsilon", f32(config.normEpsilon)],
    ["llama.rope.dimension_count", u32(config.headDim)],
    ["llama.rope.freq_base", f32(config.rope.theta)],
    ["llama.vocab_size", u32(config.vocabSize)],
  ];
}
