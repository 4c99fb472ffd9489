/** llama.cpp's names for tensors, and Hugging Face's. */

const whole: ReadonlyMap<string, string> = new Map([
  ["token_embd", "model.embed_tokens"],
  ["output_norm", "model.norm"],
  ["output", "lm_head"],
]);

const inLayer: ReadonlyMap<string, string> = new Map([
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_output", "self_attn.o_proj"],
  ["ffn_norm", "post_attention_layernorm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
]);

/**
 * Hugging Face's name for a GGUF tensor: `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`.
 *
 * A part without a translation stays as it is, still inside its layer, so that a family can tell what it does not know.
 */
export function huggingFaceName(name: string): string {
  const [, layer, part = "", kind = ""] = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (part === "") return name;
  if (layer === undefined) return `${whole.get(part) ?? part}.${kind}`;
  return `model.layers.${layer}.${inLayer.get(part) ?? part}.${kind}`;
}
